/** Changes of the configuration in midst of the experiment. */
import type { Fault } from "../fault.ts";
import { half, rest } from "../fault.ts";
import { changeWhilePaused } from "../ground.ts";

function reweighted(
  name: string,
  check: string,
  says: string,
  before: readonly number[],
  after: readonly number[],
): Fault {
  return {
    name,
    check,
    says,
    least: 200,
    layout: () => ({ weights: before, variations: Math.max(before.length, after.length) }),
    async run(scene) {
      const { ground, site } = scene;
      await scene.arrive("Visitors before the change", half(scene));
      await changeWhilePaused(ground, site, (send) =>
        send("PATCH", `/experiments/${site.experimentId}`, { allocations: site.allocations(after) }),
      );
      await scene.arrive("Visitors after it", rest(scene));
      return undefined;
    },
  };
}

const stickyBucketingToggled: Fault = {
  name: "sticky_bucketing_toggled",
  check: "sticky_bucketing_toggled",
  says: "sticky bucketing is turned off after people have kept what another hash gave them",
  least: 200,
  layout: () => ({ rollout: { sticky_bucketing: true } }),
  async run(scene) {
    const { ground, site } = scene;
    const guests = await scene.fetch("First visits", scene.draw(half(scene)));
    await scene.expose(guests);
    await changeWhilePaused(ground, site, (send) =>
      send("PATCH", `/experiments/${site.experimentId}`, { bucketing_salt: "another" }),
    );
    const kept = new Map(guests.map(({ person, fetched }) => [person.id, fetched.variation]));
    const people = guests.map(({ person }) => person);
    const again = await scene.fetch("The same again, who keep their variation", people, {
      stickyOf: ({ id }) => kept.get(id),
    });
    await scene.expose(again, { time: "again" });
    await changeWhilePaused(ground, site, (send) =>
      send("PATCH", `/feature-flags/${site.flagId}`, { rollout: { sticky_bucketing: false } }),
    );
    await scene.expose(await scene.fetch("Others, afterwards", scene.draw(rest(scene))));
    return undefined;
  },
};

export const splitFaults: readonly Fault[] = [
  reweighted(
    "traffic_split_changed",
    "traffic_split_changed",
    "the weights change from 50/50 to 90/10 halfway",
    [50, 50],
    [90, 10],
  ),
  reweighted("variation_added", "variation_added", "a third variation is added halfway", [50, 50], [34, 33, 33]),
  reweighted("variation_removed", "variation_removed", "one of three is taken away halfway", [34, 33, 33], [50, 50]),
  stickyBucketingToggled,
];
