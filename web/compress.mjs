// Puts a Brotli and a gzip copy beside every file of dist/ that becomes smaller by it: compressed once, served for ever.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = new URL("dist", import.meta.url).pathname;
const compressible = /\.(html|js|css|svg|json|txt|ttf)$/;
let total = 0;

// index.html comes last, so its copies say that all is done.
for (const name of readdirSync(dist, { recursive: true }).sort()) {
  const path = join(dist, name);
  if (!compressible.test(path)) continue;
  const content = readFileSync(path);
  const brotli = brotliCompressSync(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  });
  if (brotli.length >= content.length) continue;
  writeFileSync(`${path}.br`, brotli);
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
  total += brotli.length;
}
console.log(`compressed to ${Math.round(total / 1024)} KiB in all (Brotli)`);
