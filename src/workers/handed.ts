/**
 * Settings as they come with each call of the Worker before log-ins: it alone has the variables and secrets, so that no
 * two Workers of a deployment can disagree about them.
 */
import { createMemo } from "../assignment/memo.ts";
import { readSettings, type Settings, type Variables } from "../settings.ts";

/** While releases take turns there are two at once. */
const mostAtOnce = 4;

/** What is made of settings, made once for as long as they stay what they are. */
export function createMaker<Made>(make: (settings: Settings) => Made): (variables: Variables) => Made {
  const known = createMemo<Made>(mostAtOnce);
  return (variables) => {
    const key = JSON.stringify(variables);
    let made = known.get(key);
    if (made === undefined) {
      made = make(readSettings(variables));
      known.set(key, made);
    }
    return made;
  };
}
