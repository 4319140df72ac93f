/** What is counted wrongly, though everybody got what they should. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "../fault.ts";
import { untilServed } from "../ground.ts";

/** What comes within a second of the assignment would look like the same event. */
const laterMs = 1_100;

const customExposure: Fault = {
  name: "custom_exposure",
  check: "custom_exposure",
  says: "an app's own exposure event is lost for six in ten of the treatment",
  least: 200,
  async run(scene) {
    const guests = await scene.fetch("Visitors", scene.draw(scene.visitors));
    await scene.expose(guests);
    await sleep(laterMs);
    const sent = guests.filter(({ variation }) => variation === 0 || scene.random.happens(0.4));
    await scene.expose(sent, { event: "Login Page Viewed" });
    return undefined;
  },
};

const analysisWindow: Fault = {
  name: "analysis_window",
  check: "analysis_window",
  says: "only the last third is looked at, into which the treatment brings its people back",
  least: 200,
  async run(scene) {
    const third = Math.floor(scene.visitors / 3);
    const guests = await scene.fetch("Early visitors", scene.draw(2 * third));
    await scene.expose(guests);
    await sleep(laterMs);
    const from = new Date().toISOString();
    const back = guests.filter(({ variation }) => variation === 1);
    await scene.expose(back, { time: "again" });
    await scene.arrive("Late visitors", scene.visitors - 2 * third);
    return { from };
  },
};

const individualInclusions: Fault = {
  name: "individual_inclusions",
  check: "individual_inclusions",
  says: "one visitor in ten is included in the treatment by hand",
  least: 200,
  async run(scene) {
    const { ground, site } = scene;
    const people = scene.draw(scene.visitors);
    const listed = people.filter((_, index) => index % 10 === 0).map(({ id }) => id);
    const inclusions = { treatment: { user_ids: [], device_ids: listed } };
    await ground.management.send("PATCH", `/feature-flags/${site.flagId}`, { rollout: { inclusions } });
    await untilServed(ground, site);
    await scene.expose(await scene.fetch("Visitors, some of them listed", people));
    return undefined;
  },
};

const fallbackCounted: Fault = {
  name: "fallback_counted",
  check: "fallback_counted",
  says: "apps whose fetch times out, four in ten, show the control, and count it as an exposure",
  least: 200,
  async run(scene) {
    const { site } = scene;
    const people = scene.draw(scene.visitors);
    const timesOut = Math.floor(people.length * 0.4);
    const late = people.slice(0, timesOut);
    await scene.expose(await scene.fetch("Visitors whose fetch is answered in time", people.slice(timesOut)));
    await site.app.expose(
      late.map(({ id }) => ({
        deviceId: id,
        experimentId: site.experimentId,
        variationId: site.variationIds[0] ?? "",
        id,
      })),
    );
    return undefined;
  },
};

export const countingFaults: readonly Fault[] = [customExposure, analysisWindow, individualInclusions, fallbackCounted];
