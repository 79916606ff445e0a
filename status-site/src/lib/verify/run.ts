/** A check under way: a worker of its own, which is ended to stop it. */
import type { Answer, Task } from './messages.ts';

export interface Run {
  stop(): void;
}

const broken: Answer = {
  kind: 'failed',
  says: 'The checker could not be started in this browser.',
  remedy: 'Reload the page, use a current browser, or the command: highwater verify.',
};

/** @param onAnswer called until the last answer (`done`, `failed`), or until it is stopped */
export function startRun(workerUrl: string, task: Task, onAnswer: (answer: Answer) => void): Run {
  const worker = new Worker(workerUrl, { type: 'module' });
  const stop = (): void => worker.terminate();
  const end = (answer: Answer): void => {
    stop();
    onAnswer(answer);
  };
  worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    if (data.kind === 'done' || data.kind === 'failed') end(data);
    else onAnswer(data);
  });
  worker.addEventListener('error', () => end(broken));
  worker.addEventListener('messageerror', () => end(broken));
  worker.postMessage(task);
  return { stop };
}
