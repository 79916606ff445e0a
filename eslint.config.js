import js from '@eslint/js';
import globals from 'globals';
import svelte from 'eslint-plugin-svelte';
import ts from 'typescript-eslint';
import { waysOut } from './eslint.ways-out.ts';

// `import './x.js'` where only x.ts exists passes tsc and fails in Node's type stripping.
const relativeJs = {
  selector: 'ImportDeclaration[source.value=/^\\..*\\.js$/]',
  message: "Import the .ts file: Node runs TypeScript as it is, and './x.js' does not exist.",
};
const rawHtml = {
  selector: 'SvelteMustacheTag[kind="raw"]',
  message: 'No {@html}: everything from outside is hostile until it is escaped.',
};

export default ts.config(
  { ignores: ['**/node_modules', '**/build', '**/.svelte-kit', 'data', '.lab'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    ignores: ['status-site/**'],
    extends: [...ts.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-syntax': ['error', relativeJs],
    },
  },
  {
    files: ['status-site/**/*.ts'],
    extends: [...ts.configs.recommended],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
  },
  ...svelte.configs.recommended,
  {
    files: ['**/*.svelte'],
    languageOptions: { parserOptions: { parser: ts.parser }, globals: { ...globals.browser } },
    rules: { 'svelte/no-at-html-tags': 'error', 'no-restricted-syntax': ['error', rawHtml] },
  },
  ...waysOut({ ts: [relativeJs], svelte: [rawHtml] }),
  { files: ['**/*.{js,mjs}', 'bin/highwater*'], languageOptions: { globals: globals.node } },
);
