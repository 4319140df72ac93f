/** One visual experiment, half of the visitors in each variation. */
export const payload = {
  features: {},
  experiments: [
    {
      key: "warmer-login",
      changeId: "vc_login",
      status: "running",
      manual: false,
      hashAttribute: "id",
      hashVersion: 2,
      weights: [0.5, 0.5],
      coverage: 1,
      urlPatterns: [{ include: true, type: "simple", pattern: "*" }],
      variations: [
        {},
        {
          domMutations: [
            { selector: "h1", attribute: "html", action: "set", value: "Welcome back" },
            { selector: ".go", attribute: "html", action: "set", value: "Continue" },
          ],
        },
      ],
      meta: [
        { key: "0", name: "Control" },
        { key: "1", name: "Welcoming" },
      ],
    },
  ],
};
