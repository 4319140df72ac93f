/** Runs the measurements inside workerd, one a request, as `GET /<number>`. */
import { createGrowthBook } from "./contenders.ts";
import { type Measurement, measureEngines } from "./measure.ts";

let measurements: Generator<Measurement> | undefined;

export default {
  fetch(request: Request): Response {
    const options = JSON.parse(new URL(request.url).searchParams.get("options") ?? "{}");
    measurements ??= measureEngines([["growthbook", createGrowthBook]], options);
    const { value, done } = measurements.next();
    return Response.json(done ? null : value);
  },
};
