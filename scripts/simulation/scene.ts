/** What happens at a site: people who come in some way, counted as they go, so that it is known what the ledger must have. */
import type { Exposure, Fetched } from "./app.ts";
import { createBrowser } from "./browser.ts";
import { eachOf } from "./crowd.ts";
import type { Ground, Site } from "./ground.ts";
import { draw, type Person } from "./people.ts";
import type { Progress } from "./progress.ts";
import type { Random } from "./random.ts";

/** Somebody with a variation. */
export interface Guest {
  person: Person;
  fetched: Fetched;
  /** Which of the site's variations: 0 is the control. */
  variation: number;
}

export interface BrowseOptions {
  /** That everybody brings along. */
  cookies?: Readonly<Record<string, string>>;
}

export interface FetchOptions {
  /** With the key of a back end. */
  isServer?: boolean;
  attributesOf?(person: Person): Record<string, string>;
  /** What the app remembers to have been given. */
  stickyOf?(person: Person): string | undefined;
}

export interface ExposeOptions {
  /** The app's own event that counts as an exposure. */
  event?: string;
  /** Tells one exposure of the same people from the next. */
  time?: string;
  /** Which variation they say, where not their own. */
  as?(guest: Guest): number;
}

export interface Scene {
  readonly ground: Ground;
  readonly site: Site;
  readonly random: Random;
  readonly visitors: number;
  /** How many units must have been counted as assigned. */
  readonly assigned: ReadonlySet<string>;
  /** The same people, at another site. */
  at(site: Site): Scene;
  draw(count: number): Person[];
  /** By browser: to the page and through it, as each does. */
  browse(label: string, people: readonly Person[], options?: BrowseOptions): Promise<void>;
  /** By app: those who get a variation. */
  fetch(label: string, people: readonly Person[], options?: FetchOptions): Promise<Guest[]>;
  /** By apps that evaluate by themselves: nothing is told yet. */
  evaluate(label: string, people: readonly Person[]): Promise<Guest[]>;
  /**
   * What such apps tell afterwards, as Amplitude's SDKs do.
   * @param event one of Amplitude's, or the app's own, which counts as an exposure
   * @param atMs when it happened, in ms since the epoch
   */
  tellLate(guests: readonly Guest[], event: string, atMs: number): Promise<void>;
  expose(guests: readonly Guest[], options?: ExposeOptions): Promise<void>;
  /** Some by browser and the rest by app, and all goes well. */
  arrive(label: string, count: number): Promise<void>;
  /** Work with a bar of its own. */
  each<Item>(label: string, items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void>;
}

export interface SceneOptions {
  ground: Ground;
  site: Site;
  /** People's ids begin so: they decide who gets what. */
  prefix: string;
  random: Random;
  visitors: number;
  progress: Progress;
  sideBySide: number;
  signal: AbortSignal;
}

/** Of those who arrive, how many come by browser: each takes some requests, an app takes one. */
const byBrowser = 0.2;

export function createScene(options: SceneOptions): Scene {
  const { ground, site, random, progress, sideBySide, signal } = options;
  const assigned = new Set<string>();
  let drawn = 0;

  /** Those who get a variation, in their order. */
  async function gather(label: string, people: readonly Person[], ask: (person: Person) => Promise<Fetched | null>) {
    const found = new Map<Person, Fetched>();
    await scene.each(label, people, async (person) => {
      const fetched = await ask(person);
      if (fetched !== null) found.set(person, fetched);
    });
    return people.flatMap((person): Guest[] => {
      const fetched = found.get(person);
      return fetched ? [{ person, fetched, variation: site.variationIds.indexOf(fetched.variationId) }] : [];
    });
  }

  const scene: Scene = {
    ground,
    site,
    random,
    visitors: options.visitors,
    assigned,
    at: (site) => createScene({ ...options, site }),
    draw: (count) => draw(count, random, `${options.prefix}v${drawn++}`),

    async each(label, items, work) {
      progress.begin(label, items.length);
      await eachOf(items, { sideBySide, signal, onDone: progress.step }, work);
    },

    browse: (label, people, { cookies = {} } = {}) =>
      scene.each(label, people, async (person) => {
        const browser = createBrowser(ground.entrance, person);
        const { cookies: jar } = browser.visitor;
        for (const [name, value] of Object.entries(cookies)) jar.set(ground.entrance.url, name, value);
        const variationId = await browser.open();
        if (site.variationIds.includes(variationId ?? "")) assigned.add(person.id);
        await browser.finish();
      }),

    async fetch(label, people, { isServer = false, attributesOf, stickyOf } = {}) {
      const app = isServer ? site.server : site.app;
      const guests = await gather(label, people, (person) => {
        const [attributes, sticky] = [attributesOf?.(person), stickyOf?.(person)];
        return app.fetch({
          deviceId: person.id,
          device: person.device,
          ...(attributes === undefined ? {} : { attributes }),
          ...(sticky === undefined ? {} : { sticky }),
        });
      });
      for (const { person } of guests) assigned.add(person.id);
      return guests;
    },

    evaluate: (label, people) => gather(label, people, ({ id, device }) => site.app.evaluate({ deviceId: id, device })),

    async tellLate(guests, event, time) {
      await site.app.sendEvents(
        guests.map(({ person, fetched }) => ({
          event_type: event,
          device_id: person.id,
          time,
          insert_id: `${person.id}/${event}`,
          event_properties: {
            flag_key: site.flagKey,
            variant: fetched.variation,
            metadata: { epoch: fetched.epoch, experimentKey: site.experimentId },
          },
        })),
      );
      if (event === "$assignment") for (const { person } of guests) assigned.add(person.id);
    },

    async expose(guests, { event, time = "first", as } = {}) {
      const told = guests.map((guest): Exposure => {
        const { person, variation } = guest;
        return {
          deviceId: person.id,
          experimentId: site.experimentId,
          variationId: site.variationIds[as?.(guest) ?? variation] ?? "",
          id: [person.id, time, event ?? ""].join("/"),
          ...(event === undefined ? {} : { event }),
        };
      });
      await site.app.expose(told);
    },

    async arrive(label, count) {
      const people = scene.draw(count);
      const browsers = Math.round(count * byBrowser);
      await scene.browse(`${label}, by browser`, people.slice(0, browsers));
      await scene.expose(await scene.fetch(`${label}, by app`, people.slice(browsers)));
    },
  };
  return scene;
}
