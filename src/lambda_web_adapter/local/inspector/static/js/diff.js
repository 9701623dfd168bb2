// What differs between two texts, line by line, and between two lists of headers.

// Beyond so many lines, what lies between the equal beginning and the equal end is shown as a whole.
const MAX_LINES = 1500;

/** Return lines as [sign, text], where the sign is " ", "-" or "+". */
export function diffLines(before, after) {
  const one = before.split("\n");
  const other = after.split("\n");
  let start = 0;
  while (start < one.length && start < other.length && one[start] === other[start]) start++;
  let end = 0;
  while (
    end < one.length - start &&
    end < other.length - start &&
    one[one.length - 1 - end] === other[other.length - 1 - end]
  )
    end++;
  const same = (lines) => lines.map((text) => [" ", text]);
  return [
    ...same(one.slice(0, start)),
    ...diffMiddle(one.slice(start, one.length - end), other.slice(start, other.length - end)),
    ...same(one.slice(one.length - end)),
  ];
}

/** Return the differences by the longest common subsequence. */
function diffMiddle(one, other) {
  if (one.length > MAX_LINES || other.length > MAX_LINES)
    return [...one.map((text) => ["-", text]), ...other.map((text) => ["+", text])];
  const width = other.length + 1;
  const lengths = new Uint16Array((one.length + 1) * width);
  for (let i = one.length - 1; i >= 0; i--) {
    for (let j = other.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        one[i] === other[j]
          ? lengths[(i + 1) * width + j + 1] + 1
          : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  const lines = [];
  let i = 0;
  let j = 0;
  while (i < one.length && j < other.length) {
    if (one[i] === other[j]) {
      lines.push([" ", one[i++]]);
      j++;
    } else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) lines.push(["-", one[i++]]);
    else lines.push(["+", other[j++]]);
  }
  return [...lines, ...one.slice(i).map((text) => ["-", text]), ...other.slice(j).map((text) => ["+", text])];
}

/** Leave out equal lines that are far from any difference; what is left out is ["…", count]. */
export function withContext(lines, context = 3) {
  const isNear = new Array(lines.length).fill(false);
  lines.forEach(([sign], index) => {
    if (sign === " ") return;
    for (let near = Math.max(0, index - context); near <= Math.min(lines.length - 1, index + context); near++)
      isNear[near] = true;
  });
  const result = [];
  let skipped = 0;
  lines.forEach((line, index) => {
    if (isNear[index]) {
      if (skipped) result.push(["…", skipped]);
      skipped = 0;
      result.push(line);
    } else skipped++;
  });
  if (skipped) result.push(["…", skipped]);
  return result;
}

/** Return the headers that differ, by name: {name, before, after}, each a list of values. */
export function diffHeaders(before, after) {
  const names = new Map();
  const collect = (headers, side) => {
    for (const [name, value] of headers) {
      const key = name.toLowerCase();
      if (!names.has(key)) names.set(key, { name: key, before: [], after: [] });
      names.get(key)[side].push(value);
    }
  };
  collect(before, "before");
  collect(after, "after");
  return [...names.values()].filter((each) => each.before.join("\n") !== each.after.join("\n"));
}
