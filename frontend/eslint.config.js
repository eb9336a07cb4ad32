import globals from "globals";
import svelte from "eslint-plugin-svelte";
import tseslint from "typescript-eslint";

import svelteConfig from "./svelte.config.js";

/**
 * Imports inside src/ run one way: a folder may import itself and what stands
 * before it. The same order is proven over every file by
 * tests/import-direction.test.ts; here it shows up while one types.
 */
const LAYERS = ["geometry", "model", "shapes", "editor", "tools", "render", "api", "panels"];

const importDirection = LAYERS.map((layer, index) => ({
  files: [`src/${layer}/**`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          ...LAYERS.slice(index + 1).map((later) => ({
            group: [`../${later}`, `../${later}/*`],
            message: `${layer}/ stands before ${later}/ and must not import it.`,
          })),
          ...(layer === "panels"
            ? []
            : [{ group: ["svelte", "svelte/*", "icon:*"], message: "Only panels/ imports Svelte." }]),
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ["node_modules/", "dist/", "src/api/schema.d.ts"] },
  ...tseslint.configs.strict,
  ...svelte.configs["flat/recommended"],
  {
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      "max-lines": ["error", { max: 500 }],
      "max-lines-per-function": ["error", { max: 80 }],
      eqeqeq: "error",
      "no-console": "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-eval": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/explicit-function-return-type": [
        "error",
        { allowExpressions: true, allowTypedFunctionExpressions: true },
      ],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: {
      parserOptions: { parser: tseslint.parser, extraFileExtensions: [".svelte"], svelteConfig },
    },
    rules: {
      "prefer-const": "off",
      "max-lines-per-function": "off",
      "@typescript-eslint/explicit-function-return-type": "off",
    },
  },
  {
    files: ["tests/**"],
    rules: {
      "max-lines-per-function": "off",
      "@typescript-eslint/explicit-function-return-type": "off",
    },
  },
  ...importDirection,
);
