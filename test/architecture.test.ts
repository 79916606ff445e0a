import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { cruise } from 'dependency-cruiser';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { importRules as rules } from './import-rules.ts';

const rooms = ['config', 'probe', 'collector', 'alerts', 'status-site', 'bin', 'test'];

async function files(pattern: string): Promise<string[]> {
  const found = await Array.fromAsync(glob(pattern, { exclude: (name) => name.includes('node_modules') }));
  return found.sort();
}

describe('imports form a star', () => {
  it('no cycle, no package imports another, nothing imports bin or test', async () => {
    const { output } = await cruise(
      rooms,
      { ruleSet: rules, validate: true, ...rules.options },
      rules.options?.enhancedResolveOptions,
    );
    if (typeof output === 'string') throw new Error(output);
    const broken = output.summary.violations
      .filter((violation) => violation.rule.severity === 'error')
      .map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
    expect(broken).toEqual([]);
    expect(output.summary.totalCruised).toBeGreaterThan(50);
  }, 60_000);
});

/** Data structures that do nothing by themselves. */
const pureLibraries: ReadonlySet<string> = new Set(['tinyqueue']);

/** What a pure file may not do, found in its syntax tree and not in its text, so that comments are free. */
function impurities(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const say = (node: ts.Node, what: string) => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    found.push(`${file}:${line + 1}: ${what}`);
  };
  const globals = new Set(['console', 'process', 'performance', 'setTimeout', 'setInterval', 'setImmediate']);
  for (const name of ['fetch', 'queueMicrotask', 'crypto', 'Intl']) globals.add(name);
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const from = node.moduleSpecifier.text;
      const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      const ours = from.startsWith('.') || from.startsWith('@highwater/config/') || pureLibraries.has(from);
      if (!ours && !typeOnly) say(node, `imports ${from}`);
    }
    if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier)) say(node, 'await');
    if (node.kind === ts.SyntaxKind.AsyncKeyword) say(node, 'async');
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      say(node, 'import()');
    if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length) {
      say(node, 'new Date() without an instant');
    }
    if (ts.isPropertyAccessExpression(node)) {
      const access = node.getText();
      if (access === 'Date.now' || access === 'Math.random') say(node, access);
    }
    if (ts.isIdentifier(node) && globals.has(node.text)) {
      const named = ts.isPropertyAccessExpression(node.parent) && node.parent.name === node;
      const property = ts.isPropertyAssignment(node.parent) || ts.isPropertySignature(node.parent);
      if (!named && !property) say(node, node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe('decisions are pure', () => {
  it('no clock, randomness, I/O or await in decide/ and proof/, nor in the files named as pure', async () => {
    const pure = [
      ...(await files('{collector,alerts}/src/decide/**/*.ts')),
      ...(await files('config/src/proof/**/*.ts')),
      ...(await files('probe/src/{schedule,places,budget,self}.ts')),
      ...(await files('alerts/src/render.ts')),
      ...(await files('config/src/{time,domain}.ts')),
    ].filter((file) => !file.endsWith('.test.ts'));
    expect(pure.length).toBeGreaterThan(20);
    expect(pure.flatMap((file) => impurities(file, readFileSync(file, 'utf8')))).toEqual([]);
  });

  it('the check sees each kind of impurity', () => {
    const bad = `
      import { readFileSync } from 'node:fs';
      export async function f() { await g(); return [Date.now(), new Date(), Math.random()]; }
      const h = () => import('./x.ts'); console.log(fetch, process.env, setTimeout);`;
    const seen = impurities('bad.ts', bad).map((line) => line.replace(/^bad.ts:\d+: /, ''));
    expect(seen).toEqual([
      'imports node:fs', 'async', 'await', 'Date.now', 'new Date() without an instant', 'Math.random',
      'import()', 'console', 'fetch', 'process', 'setTimeout',
    ]); // prettier-ignore
    expect(impurities('ok.ts', `const a = new Date(0); export const o = { process: 1 }; o.process;`)).toEqual(
      [],
    );
  });
});

describe('files stay small', () => {
  it('no source file is over 400 lines', async () => {
    const all = await files('{config,probe,collector,alerts,status-site,bin}/**/*.{ts,svelte}');
    const long = all
      .filter((file) => !/[.]test[.]ts$|[/]build[/]|[.]svelte-kit/.test(file))
      .filter((file) => readFileSync(file, 'utf8').split('\n').length > 400);
    expect(long).toEqual([]);
  });
});
