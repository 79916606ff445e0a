/**
 * Regular expressions of JavaScript on text from outside: some take for ever on the right input, so that a text is cut
 * and all tries of one check have a budget of computing together.
 */
import { createContext, Script, type Context } from 'node:vm';
import { z } from 'zod';

/** An expression sees no more of an answer than this. */
export const maxMatchedBytes = 65_536;
/** Of computing, for all tries of one check. */
export const budgetMs = 100;

/** An expression that is no JavaScript is found when the config is read. */
function isExpression(text: string): boolean {
  try {
    return RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

/** An expression as an operator writes it; `example` is the remedy. */
export function expressionText(example: string) {
  return z
    .string('not text, put it in quotes')
    .min(1, 'empty, write a text')
    .max(200, 'too long, write at most 200 characters')
    .refine(isExpression, `not a regular expression of JavaScript, write one such as ${example}`);
}

/** The budget of one check. */
export interface Expressions {
  /** Whether the text matches; undefined when the budget is used up before that is known. */
  isMatch(expression: string, text: string): boolean | undefined;
}

export function expressions(): Expressions {
  let leftMs = budgetMs;
  return {
    isMatch(expression, text) {
      // A try that was cut short on a busy machine, without having computed so long, is no answer.
      for (;;) {
        if (leftMs <= 0) return undefined;
        const from = process.threadCpuUsage();
        const is = tried(expression, text, leftMs);
        const { user, system } = process.threadCpuUsage(from);
        leftMs -= (user + system) / 1_000;
        if (is !== undefined) return is;
      }
    },
  };
}

let shared: { readonly context: Context; readonly script: Script } | undefined;

/** Undefined: not known within so long. A context of its own is what Node can stop code in. */
function tried(expression: string, text: string, leftMs: number): boolean | undefined {
  shared ??= {
    context: createContext(Object.create(null) as object),
    script: new Script('new RegExp(expression).test(text)'),
  };
  const { context, script } = shared;
  context['expression'] = expression;
  context['text'] = text;
  try {
    return script.runInContext(context, { timeout: Math.max(1, Math.ceil(leftMs)) }) === true;
  } catch {
    // Out of time, or of the engine's stack.
    return undefined;
  } finally {
    context['text'] = '';
  }
}
