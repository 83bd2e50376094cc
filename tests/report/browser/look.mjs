// Opens a report in Chromium and answers, as JSON, what was asked for in the looks on standard input.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const { executable, page: address, looks } = JSON.parse(readFileSync(0, "utf8"));

// Each look has a width, a color scheme, a medium, a fragment of the address, and steps to take first.
async function look(browser, { width = 1200, scheme = "light", media = "screen", hash = "", steps = [], ask = "" }) {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: scheme,
    bypassCSP: ask === "axe",
  });
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => request.url().startsWith("file:") || errors.push(request.url()));
  await page.goto(address + hash);
  await page.emulateMedia({ media, colorScheme: scheme });
  for (const { press, type, click, focus } of steps) {
    if (press) await page.keyboard.press(press);
    if (type) await page.keyboard.type(type);
    if (click) await page.click(click);
    if (focus) await page.focus(focus);
  }
  const seen = await page.evaluate(() => ({
    title: document.title,
    hash: location.hash,
    width: document.documentElement.scrollWidth,
    background: getComputedStyle(document.body).backgroundColor,
    rows: document.querySelectorAll("tr.row:not([hidden])").length,
    firstFinding: document.querySelector("article.finding")?.getBoundingClientRect().top + scrollY,
  }));
  if (ask === "axe") {
    await page.evaluate(() => document.querySelectorAll("details").forEach((each) => (each.open = true)));
    await page.addScriptTag({ path: axe });
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    seen.violations = found.violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`);
    seen.checked = found.passes.length;
  }
  await context.close();
  return { ...seen, errors };
}

const browser = await chromium.launch({ executablePath: executable, args: ["--no-sandbox", "--disable-gpu"] });
const seen = [];
for (const each of looks) seen.push(await look(browser, each));
await browser.close();
process.stdout.write(JSON.stringify(seen));
