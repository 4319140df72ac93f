/** The one error that Workers in front of the control plane answer themselves. */
export const controlUnavailable = { status: 503, title: "The control plane cannot be reached; try again." } as const;
