/** A REST server that answers as told, right or wrong. */
import { type Served, serveHttp } from './servers.ts';

/** By path with its query. Text is sent as it is, everything else as JSON; a number is a status without a body. */
export type RestAnswers = Readonly<Record<string, unknown>>;

/** @param answers looked up for each request; what is not there is 404 */
export async function serveRest(answers: RestAnswers): Promise<Served & { readonly asked: string[] }> {
  const asked: string[] = [];
  const served = await serveHttp(({ url = '' }, response) => {
    asked.push(url);
    const answer = Object.hasOwn(answers, url) ? answers[url] : 404;
    if (typeof answer === 'number') response.statusCode = answer;
    else response.write(typeof answer === 'string' ? answer : JSON.stringify(answer));
    response.end();
  });
  return { ...served, asked };
}
