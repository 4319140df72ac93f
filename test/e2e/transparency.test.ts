/**
 * What origin and client see through the gate is what they see without it, our documented additions aside. One world for
 * all suites: it takes longer to start than they take to run.
 */
import { afterAll, describe } from "vitest";
import { describeAnswers } from "./transparency/answers.ts";
import { describeAnything } from "./transparency/anything.ts";
import { describeInjection } from "./transparency/inject.ts";
import { describeRequests } from "./transparency/requests.ts";
import { describeSockets } from "./transparency/sockets.ts";
import { describeStreams } from "./transparency/streams.ts";
import { startWorld } from "./transparency/world.ts";

const world = await startWorld();
afterAll(() => world.close());

describe("requests", () => describeRequests(world));
describe("answers", () => describeAnswers(world));
describe("inject: attributes", () => describeInjection(world));
describe("streams", () => describeStreams(world));
describe("WebSockets", () => describeSockets(world));
describe("anything", () => describeAnything(world));
