/** What is set up so that counts mean something else than they say. */
import { type Fault, minutesAgo } from "../fault.ts";
import { devices } from "../people.ts";

const idsMisaligned: Fault = {
  name: "ids_misaligned",
  check: "ids_aligned",
  says: "three in ten exposures are sent with another id than the variation was fetched with",
  least: 200,
  async run(scene) {
    const { site, random } = scene;
    const guests = await scene.fetch("Visitors", scene.draw(scene.visitors));
    const [others, own] = [guests.filter(() => random.happens(0.3)), new Set(guests)];
    for (const guest of others) own.delete(guest);
    await scene.expose([...own]);
    await site.app.expose(
      others.map(({ person, fetched }) => ({
        deviceId: `analytics-${person.id}`,
        experimentId: site.experimentId,
        variationId: fetched.variationId,
        id: person.id,
      })),
    );
    return undefined;
  },
};

const sameEvent: Fault = {
  name: "same_event",
  check: "distinct_events",
  says: "the app's exposure event is the very one that assigns",
  least: 200,
  async run(scene) {
    const guests = await scene.evaluate("Apps that evaluate by themselves", scene.draw(scene.visitors));
    const openedMs = minutesAgo(1);
    await scene.tellLate(guests, "$assignment", openedMs);
    await scene.tellLate(guests, "App Opened", openedMs);
    return undefined;
  },
};

const attributesMissing: Fault = {
  name: "attributes_missing",
  check: "attributes_present",
  says: "the segment asks for an organization, which the app on iOS does not send",
  least: 250,
  layout: () => ({ segment: [{ match: { organization_id: ["org_acme"] } }] }),
  async run(scene) {
    const people = scene.draw(scene.visitors).map((person, index) => {
      return { ...person, device: index % 2 === 0 ? devices.safari : devices.chromeOnAndroid };
    });
    const guests = await scene.fetch("Visitors", people, {
      attributesOf: ({ device }): Record<string, string> =>
        device === devices.safari ? {} : { organization_id: "org_acme" },
    });
    await scene.expose(guests);
    return undefined;
  },
};

const cohortStale: Fault = {
  name: "cohort_stale",
  check: "cohort_age",
  says: "the segment's cohort cannot be fetched from its source, and never could",
  least: 100,
  needsOwnStack: true,
  layout: ({ own }) => ({
    segment: [{ match: { cohort: ["Members"] } }],
    cohorts: [
      {
        name: "Members",
        id_type: "device",
        source: { type: "url", url: own?.cohortSource ?? "", format: "csv", field: "device_id" },
      },
    ],
  }),
  async run(scene) {
    await scene.fetch("Visitors of whom nobody can tell", scene.draw(scene.visitors));
    return undefined;
  },
};

const silentUnits: Fault = {
  name: "silent_units",
  check: "silent_units",
  says: "of six in ten, in either variation, nothing is heard after the assignment for half an hour",
  least: 200,
  async run(scene) {
    const guests = await scene.evaluate("Apps that evaluate by themselves", scene.draw(scene.visitors));
    await scene.tellLate(guests, "$assignment", minutesAgo(45));
    await scene.tellLate(
      guests.filter((_, index) => index % 10 < 4),
      "$exposure",
      minutesAgo(44),
    );
    return undefined;
  },
};

const serverSide: Fault = {
  name: "server_side_assignment",
  check: "server_side_assignment",
  says: "a back end fetches variations for a mailing to people who are not there",
  least: 200,
  async run(scene) {
    const people = scene.draw(scene.visitors);
    const there = Math.floor(people.length / 2);
    await scene.expose(await scene.fetch("Visitors", people.slice(0, there)));
    await scene.fetch("The back end, for a mailing", people.slice(there), { isServer: true });
    return undefined;
  },
};

export const setupFaults: readonly Fault[] = [
  idsMisaligned,
  sameEvent,
  attributesMissing,
  cohortStale,
  serverSide,
  silentUnits,
];
