// What is linted in the browser's own language: the live figures and the website's page script.
const browser = [
  ...["document", "getComputedStyle", "matchMedia", "requestAnimationFrame", "MutationObserver"],
  ...["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
  ...["atob", "Blob", "URL", "DataView", "customElements"],
];

export default [
  {
    languageOptions: {
      ecmaVersion: 2022,
      sourceType: "module",
      globals: Object.fromEntries(browser.map((name) => [name, "readonly"])),
    },
    rules: {
      "no-undef": "error",
      "no-unused-vars": "error",
      "no-redeclare": "error",
      "no-unreachable": "error",
      "no-const-assign": "error",
      "no-dupe-keys": "error",
      "no-shadow": "error",
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: "error",
    },
  },
];
