/** What people and their clients do otherwise in one variation. */
import { type Fault, minutesAgo } from "../fault.ts";
import { build, changeStatus } from "../ground.ts";
import { devices } from "../people.ts";
import type { Guest, Scene } from "../scene.ts";
import { untilCounted } from "../until-counted.ts";

const variantJumping: Fault = {
  name: "variant_jumping",
  check: "variant_jumping",
  says: "one app in seven shows a cached variation first, and then the one it was given",
  least: 200,
  async run(scene) {
    const guests = await scene.fetch("Visitors", scene.draw(scene.visitors));
    await scene.expose(guests);
    const cached = guests.filter((_, index) => index % 7 === 0);
    await scene.expose(cached, { time: "cached", as: ({ variation }) => 1 - variation });
    return undefined;
  },
};

const loginLogoutChurn: Fault = {
  name: "login_logout_churn",
  check: "login_logout_churn",
  says: "the treatment logs people out, and each log-in after it is a new device",
  least: 200,
  async run(scene) {
    const { site, random } = scene;
    const people = scene.draw(scene.visitors);
    const firsts = await scene.fetch("Users on their first device", people);
    const users = new Map(firsts.map(({ person }) => [person.id, `user of ${person.id}`]));
    await scene.each("They sign in", firsts, ({ person }) => site.app.identify(person.id, users.get(person.id) ?? ""));
    const out = firsts.filter(({ variation }) => variation === 1 && random.happens(0.5));
    const renewed = out.map(({ person }) => ({ ...person, id: `${person.id}-again` }));
    const seconds = await scene.fetch("Those who were logged out, as new devices", renewed);
    await scene.each("They sign in again", seconds, ({ person }) =>
      site.app.identify(person.id, users.get(person.id.replace(/-again$/, "")) ?? ""),
    );
    await scene.expose([...firsts, ...seconds]);
    return undefined;
  },
};

const missingExposure: Fault = {
  name: "missing_exposure",
  check: "missing_exposure",
  says: "the treatment shows half of its people a page that is not text/html, and so no exposure",
  least: 200,
  needsOwnStack: true,
  async run(scene) {
    const { ground, site, random, visitors } = scene;
    const people = scene.draw(visitors).map((person) => ({ ...person, does: "signs_in" as const }));
    const unlucky = new Set(people.filter(() => random.happens(0.5)).map(({ id }) => id));
    ground.own?.behave({ isXhtml: (variation, id) => variation === site.variationIds[1] && unlucky.has(id) });
    await scene.browse("Visitors who all sign in", people);
    return undefined;
  },
};

const funnel: Fault = {
  name: "assignment_exposure_funnel",
  check: "assignment_exposure_funnel",
  says: "half of the treatment never get to see it, as events that come late tell of half an hour ago",
  least: 200,
  async run(scene) {
    const { random } = scene;
    const guests = await scene.evaluate("Apps that evaluate by themselves", scene.draw(scene.visitors));
    const arrived = guests.filter(({ variation }) => variation === 0 || random.happens(0.5));
    await scene.tellLate(guests, "$assignment", minutesAgo(45));
    await scene.tellLate(arrived, "$exposure", minutesAgo(44));
    return undefined;
  },
};

const platformSource: Fault = {
  name: "platform_source",
  check: "platform_source",
  says: "Firefox, with which half of the visitors come, loses two in three exposures of the treatment",
  least: 400,
  async run(scene) {
    const people = scene.draw(scene.visitors).map((person, index) => {
      return index % 2 === 0 ? { ...person, device: devices.firefox } : person;
    });
    const guests = await scene.fetch("Visitors", people);
    const isLost = ({ person, variation }: Guest) =>
      person.device.browser === "firefox" && variation === 1 && scene.random.happens(2 / 3);
    await scene.expose(guests.filter((guest) => !isLost(guest)));
    return undefined;
  },
};

/** No bot by its name, or it would get nothing. */
const wave = {
  browser: "chrome",
  userAgent:
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36",
  headers: {},
};

const botWave: Fault = {
  name: "bot_wave",
  check: "platform_source",
  says: "a wave of bots that call themselves Chrome OS gets no further than the treatment's script",
  least: 400,
  async run(scene) {
    const bots = Math.floor(scene.visitors * 0.6);
    await scene.expose(await scene.fetch("Visitors", scene.draw(scene.visitors - bots)));
    const people = scene.draw(bots).map((person) => ({ ...person, device: wave }));
    const guests = await scene.fetch("Bots", people);
    await scene.expose(guests.filter(({ variation }) => variation === 0));
    return undefined;
  },
};

const firstExperiment: Fault = {
  name: "first_experiment",
  check: "first_experiment",
  says: "half of the treatment's exposures are lost everywhere, in the tenant's first experiment",
  least: 300,
  async run(scene) {
    const guests = await scene.fetch("Visitors", scene.draw(scene.visitors));
    await scene.expose(guests.filter(({ variation }) => variation === 0 || scene.random.happens(0.5)));
    return undefined;
  },
};

/** Most of the treatment's apps tell nothing, neither of the assignment nor of the exposure. */
async function loseTreatment(scene: Scene, label: string, count: number): Promise<void> {
  const guests = await scene.evaluate(label, scene.draw(count));
  const told = guests.filter(({ variation }) => variation === 0 || scene.random.happens(0.2));
  await scene.tellLate(told, "$assignment", minutesAgo(2));
  await scene.tellLate(told, "$exposure", minutesAgo(1));
}

const systemic: Fault = {
  name: "systemic",
  check: "first_experiment",
  says: "apps lose most of the treatment's events, in this experiment as in the two before it",
  least: 600,
  layout: () => ({ status: "draft" }),
  async run(scene) {
    const { ground, site, visitors } = scene;
    const third = Math.floor(visitors / 3);
    for (const which of ["First", "Second"]) {
      const earlier = await build(ground, `An earlier experiment: ${which}`, `Ear1ier${which}`);
      const there = scene.at(earlier);
      await loseTreatment(there, `${which} experiment`, third);
      await untilCounted(there);
      await changeStatus(ground, earlier, "completed");
    }
    await changeStatus(ground, site, "active");
    await loseTreatment(scene, "This one", visitors - 2 * third);
    return undefined;
  },
};

export const unitFaults: readonly Fault[] = [
  variantJumping,
  loginLogoutChurn,
  missingExposure,
  funnel,
  platformSource,
  botWave,
  firstExperiment,
  systemic,
];
