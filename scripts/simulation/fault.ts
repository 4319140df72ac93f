/** One thing that goes wrong, and nothing else: what it takes, what people and operators do, what must be found. */
import type { Layout } from "./ground.ts";
import type { Scene } from "./scene.ts";

export interface Fault {
  name: string;
  /** A line for whoever chooses. */
  says: string;
  /** Id of the check that must lead; null where nothing is wrong. */
  check: string | null;
  /** With fewer visitors it would not show. */
  least: number;
  layout?: (ground: Scene["ground"]) => Layout;
  /** Settings of the tenant, which only a stack of the simulation's own may be given. */
  tenant?(provider: string): Record<string, unknown>;
  /** Only there: its provider, its settings or its end are in play. */
  needsOwnStack?: true;
  run(scene: Scene): Promise<Ended | undefined>;
}

export interface Ended {
  /** From when on the analyst looks, ISO. */
  from?: string;
}

export const half = ({ visitors }: Pick<Scene, "visitors">): number => Math.floor(visitors / 2);
/** The rest after a half. */
export const rest = (scene: Pick<Scene, "visitors">): number => scene.visitors - half(scene);

/** In ms since the epoch, as events have it that come late. */
export const minutesAgo = (minutes: number): number => Date.now() - minutes * 60_000;
