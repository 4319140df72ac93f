/** Where the project is; by itself, since what reads configurations takes a second to load. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const wranglerConfig = join(root, "wrangler.toml");
