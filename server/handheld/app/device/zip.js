// A zip of stored members as a Blob of parts (APPNOTE 6.3.10): nothing is compressed, nothing copied. Serves `bundle`.

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? value >>> 1 ^ 0xedb88320 : value >>> 1;
  return value;
});
const MOST = 0xffffffff;
const BLOCK_BYTES = 1 << 20;
const NAMES_IN_UTF8 = 0x800;

/** @typedef {{ name: string, content: Blob }} Member */

/**
 * @param {Member[]} members each smaller than 4 GiB
 * @param {number} at ms since 1970: when the members were made
 * @param {number} [far] from which offset on the addresses take 64 bits
 * @returns {Promise<Blob>}
 */
export async function zipOf(members, at, far = MOST) {
  /** @type {BlobPart[]} */
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, content } of members) {
    const named = new TextEncoder().encode(name);
    const common = numbers([2, NAMES_IN_UTF8], [2, 0], [4, dosTime(at)], [4, await crcOf(content)], [4, content.size],
      [4, content.size], [2, named.length]);
    const wide = offset >= far;
    parts.push(numbers([4, 0x04034b50], [2, 20]), common, numbers([2, 0]), named, content);
    directory.push(numbers([4, 0x02014b50], [2, 45], [2, 45]), common, numbers([2, wide ? 12 : 0], [2, 0], [2, 0], [2, 0],
      [4, 0], [4, wide ? MOST : offset]), named, ...(wide ? [numbers([2, 1], [2, 8], [8, offset])] : []));
    offset += 30 + named.length + content.size;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const wide = offset >= far || members.length > 0xfffe;
  if (wide) {
    directory.push(numbers([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, members.length],
      [8, members.length], [8, size], [8, offset]));
    directory.push(numbers([4, 0x07064b50], [4, 0], [8, offset + size], [4, 1]));
  }
  const count = wide ? 0xffff : members.length;
  const end = numbers([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, wide ? MOST : offset], [2, 0]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

/** CRC-32 of a Blob, block by block. @param {Blob} content */
async function crcOf(content) {
  let crc = MOST;
  for (let at = 0; at < content.size; at += BLOCK_BYTES) {
    for (const byte of new Uint8Array(await content.slice(at, at + BLOCK_BYTES).arrayBuffer())) {
      crc = CRC[(crc ^ byte) & 0xff] ^ crc >>> 8;
    }
  }
  return (crc ^ MOST) >>> 0;
}

/** Little-endian numbers, each as [bytes, value]. @param {...[number, number]} given @returns {Uint8Array<ArrayBuffer>} */
function numbers(...given) {
  const bytes = new Uint8Array(given.reduce((sum, [width]) => sum + width, 0));
  let place = 0;
  for (const [width, value] of given) {
    for (let at = 0, left = value; at < width; at += 1, left = Math.floor(left / 256)) bytes[place + at] = left % 256;
    place += width;
  }
  return bytes;
}

/** @param {number} at */
function dosTime(at) {
  const when = new Date(at), year = Math.min(Math.max(when.getUTCFullYear(), 1980), 2107);
  return ((year - 1980) * 2 ** 25) + (when.getUTCMonth() + 1 << 21) + (when.getUTCDate() << 16)
    + (when.getUTCHours() << 11) + (when.getUTCMinutes() << 5) + (when.getUTCSeconds() >> 1);
}
