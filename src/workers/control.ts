/** The Worker of what is configured: the only writers of configuration and of cohorts, and of what is published of both. */
export { Cohorts } from "../cohorts/cohorts.ts";
export { Control } from "../control/control.ts";
export { nowhere as default } from "./nowhere.ts";
