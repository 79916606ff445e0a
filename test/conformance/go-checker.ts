/** Builds and asks test/conformance/go, where Go and its implementation of the log are on this machine. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const GO_PACKAGES = 'golang-go golang-golang-x-mod-dev';
const GOPATH = '/usr/share/gocode';

/** Says so when Go is missing; throws where CI=true. */
export function isGoMissing(): boolean {
  const isMissing =
    !existsSync(join(GOPATH, 'src/golang.org/x/mod/sumdb/tlog')) ||
    spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0;
  if (!isMissing) return false;
  const say = `Go's own implementation of the log is missing: apt-get install ${GO_PACKAGES}`;
  if (process.env['CI'] === 'true') throw new Error(say);
  console.warn(`${say}; without it nothing is compared with it`);
  return true;
}

/**
 * Builds into a folder, from the machine's own sources; asks no network. What it gives answers commands, one each, all of
 * a call by one process.
 */
export function buildGoChecker(folder: string): (commands: readonly string[]) => string[] {
  const program = join(folder, 'go-log');
  const source = fileURLToPath(new URL('go/main.go', import.meta.url));
  const env = {
    ...process.env,
    GO111MODULE: 'off',
    GOPATH,
    GOCACHE: join(folder, 'cache'),
    GOFLAGS: '',
    CGO_ENABLED: '0',
  };
  execFileSync('go', ['build', '-o', program, source], { env, stdio: 'inherit' });
  return (commands) => {
    const input = commands.map((command) => `${command}\n`).join('');
    const answers = execFileSync(program, { input, maxBuffer: 2 ** 28 })
      .toString()
      .split('\n')
      .slice(0, -1);
    if (answers.length !== commands.length)
      throw new Error(`${commands.length} commands, ${answers.length} answers`);
    return answers;
  };
}
