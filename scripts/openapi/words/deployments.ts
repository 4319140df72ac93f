import type { Topic } from "../operation-words.ts";

export const deployments: Topic = {
  name: "Deployments",
  description: "Keys that apps and back ends fetch assignments with.",
  operations: {
    get_deployments: {
      summary: "List deployments",
      description: "Page by page, in the order they were made.",
      answer: "DeploymentPage",
      refusals: [],
    },
    create_deployment: {
      summary: "Create a deployment",
      description: "The key of a `server` deployment is shown in this answer and never again.",
      answer: "DeploymentMade",
      refusals: ["deployment_name_taken"],
    },
    get_deployment: {
      summary: "Get a deployment",
      description: "One deployment; with its key when that is no secret.",
      answer: "Deployment",
      refusals: ["deployment_not_found"],
    },
    update_deployment: {
      summary: "Change a deployment",
      description: "Only what is sent changes; `description: null` takes it away.",
      answer: "Deployment",
      refusals: ["deployment_not_found", "deployment_name_taken"],
    },
    rotate_deployment: {
      summary: "Give a deployment a new key",
      description: "The old key is known until the change is published.",
      answer: "DeploymentMade",
      refusals: ["deployment_not_found"],
    },
    delete_deployment: {
      summary: "Delete a deployment",
      description: "Archived feature flags let go of it by themselves. Deleting what is not there succeeds too.",
      refusals: ["deployment_in_use"],
    },
  },
};
