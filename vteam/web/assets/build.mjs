/**
 * Builds what the pages load: styles, fonts, scripts, each under a name that carries the hash of its content.
 *
 *     node vteam/web/assets/build.mjs [--htmx FILE]
 *
 * Reads the sources beside this file, the fonts from node_modules and htmx from the django_htmx package (found
 * in .venv, or given with --htmx). Writes vteam/web/static/ anew, with manifest.json: plain name -> hashed name.
 * Refuses to finish when anything is missing, and never reaches for the network.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import * as esbuild from "esbuild";
import subsetFont from "subset-font";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..", "..");
const finished = join(here, "..", "static");
const out = `${finished}.new`;
const HTMX = "django_htmx/static/django_htmx/htmx-2.min.js";
const FONTS = "node_modules/@fontsource-variable";

/** Every code point the pages' languages write, and the punctuation around them. */
const LATIN = [[0x20, 0x7e], [0xa0, 0x17f], [0x2009, 0x2014], [0x2018, 0x2026], [0x202f, 0x203a], [0x20ac, 0x20ac], [0x2212, 0x2212]]
  .flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => String.fromCodePoint(from + i)))
  .join("");

/** The fonts: which file, which axes are pinned (a pinned axis weighs nothing). */
const fonts = [
  {
    name: "display.woff2",
    file: `${FONTS}/bricolage-grotesque/files/bricolage-grotesque-latin-standard-normal.woff2`,
    axes: { wght: 800 },
  },
  {
    name: "display-more.woff2",
    file: `${FONTS}/bricolage-grotesque/files/bricolage-grotesque-latin-ext-standard-normal.woff2`,
    axes: { wght: 800 },
  },
  // For what is printed (web/slipfile.py): each whole in one weight, as TrueType.
  { name: "print-display.ttf", file: `${FONTS}/bricolage-grotesque/files/bricolage-grotesque-latin-standard-normal.woff2`, axes: { wght: 800, wdth: 80, opsz: 48 } },
  { name: "print-display-more.ttf", file: `${FONTS}/bricolage-grotesque/files/bricolage-grotesque-latin-ext-standard-normal.woff2`, axes: { wght: 800, wdth: 80, opsz: 48 } },
  { name: "print-text.ttf", file: `${FONTS}/instrument-sans/files/instrument-sans-latin-wght-normal.woff2`, axes: { wght: 400 } },
  { name: "print-text-more.ttf", file: `${FONTS}/instrument-sans/files/instrument-sans-latin-ext-wght-normal.woff2`, axes: { wght: 400 } },
  {
    name: "text.woff2",
    file: `${FONTS}/instrument-sans/files/instrument-sans-latin-wght-normal.woff2`,
    axes: undefined,
  },
  {
    name: "text-more.woff2",
    file: `${FONTS}/instrument-sans/files/instrument-sans-latin-ext-wght-normal.woff2`,
    axes: undefined,
  },
];

/** @type {Record<string, string>} plain name -> hashed name */
const manifest = {};

/** Writes `bytes` under its hashed name and notes it in the manifest. */
function keep(/** @type {string} */ name, /** @type {Uint8Array | string} */ bytes) {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 10);
  const hashed = `${basename(name, extname(name))}-${hash}${extname(name)}`;
  writeFileSync(join(out, hashed), bytes);
  manifest[name] = hashed;
  return hashed;
}

/** The one htmx file django_htmx carries; `given` wins, then the project's own virtual environment. */
function htmxFile(/** @type {string | undefined} */ given) {
  const tried = given ? [given] : environments().map((packages) => join(packages, HTMX));
  const found = tried.find((file) => existsSync(file));
  if (!found) {
    throw new Error(`htmx was not found (looked for ${tried.join(", ") || "a .venv"}): install django-htmx or give --htmx FILE`);
  }
  return found;
}

/** The package folders of .venv, as Linux, macOS and Windows lay them out. */
function environments() {
  const lib = join(root, ".venv", "lib");
  const versions = existsSync(lib) ? readdirSync(lib) : [];
  return [...versions.map((version) => join(lib, version, "site-packages")), join(root, ".venv", "Lib", "site-packages")];
}

async function writeFonts() {
  for (const { name, file, axes } of fonts) {
    const whole = readFileSync(join(root, file));
    const targetFormat = name.endsWith(".ttf") ? /** @type {const} */ ("sfnt") : /** @type {const} */ ("woff2");
    const options = { targetFormat, ...(axes && { variationAxes: axes }) };
    keep(name, await subsetFont(whole, LATIN, options));
  }
  const licences = ["bricolage-grotesque", "instrument-sans"].map((name) => readFileSync(join(root, FONTS, name, "LICENSE"), "utf8"));
  writeFileSync(join(out, "fonts-licence.txt"), licences.join("\n\n"));
}

/** Font addresses in the styles become the hashed ones; anything else must be a file esbuild finds. */
const builtFonts = {
  name: "built-fonts",
  setup(/** @type {esbuild.PluginBuild} */ build) {
    build.onResolve({ filter: /^font:/ }, ({ path }) => {
      const hashed = manifest[path.slice("font:".length)];
      return hashed ? { path: `./${hashed}`, external: true } : { errors: [{ text: `there is no font ${path}` }] };
    });
  },
};

async function bundle() {
  const pages = readdirSync(join(here, "pages")).filter((name) => name.endsWith(".js"));
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints: [join(here, "styles", "site.css"), ...pages.map((name) => join(here, "pages", name))],
    outdir: out,
    entryNames: "[name]",
    bundle: true,
    write: false,
    format: "esm",
    target: ["es2021", "chrome99", "firefox97", "safari15.4"],
    minify: true,
    legalComments: "none",
    plugins: [builtFonts],
    logLevel: "warning",
  });
  for (const file of result.outputFiles) keep(relative(out, file.path), file.contents);
}

/** The page that checks a draw: one file with everything in it, to be kept and opened without a network. */
async function writeOffline() {
  const folder = join(here, "offline");
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints: [join(folder, "draw.js"), join(folder, "draw.css")],
    outdir: out,
    bundle: true,
    write: false,
    format: "iife",
    target: ["es2022", "chrome99", "firefox97", "safari15.4"],
    minify: true,
    charset: "utf8",
    legalComments: "inline",
    logLevel: "warning",
  });
  const [script = "", styles = ""] = result.outputFiles.map((file) => file.text);
  // Replaced by functions: in a text, `$&` would mean something.
  const page = readFileSync(join(folder, "draw.html"), "utf8")
    .replace("/*styles*/", () => styles)
    .replace("/*script*/", () => script.replaceAll("</script", "<\\/script"));
  keep("draw.html", page);
}

const { values } = parseArgs({ options: { htmx: { type: "string" } } });
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await writeFonts();
await bundle();
await writeOffline();
keep("htmx.js", readFileSync(htmxFile(values.htmx)));
for (const name of readdirSync(join(here, "pictures"))) keep(name, readFileSync(join(here, "pictures", name)));
writeFileSync(join(out, "manifest.json"), `${JSON.stringify(manifest, Object.keys(manifest).sort(), 2)}\n`);
rmSync(finished, { recursive: true, force: true });
renameSync(out, finished);
console.log(`built ${Object.keys(manifest).length} files into ${relative(root, finished)}`);
