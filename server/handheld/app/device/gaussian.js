// The mass of a Gaussian fix on a polygon, as server/rules/attribution.py has it: an edge adds the mass of the triangle
// that it spans with the centre, atan(s/h)/2 pi - T(h, s/h) between its ends, T being Owen's function (Annals of
// Mathematical Statistics 27, 1956).

/** @typedef {import("./plane.js").Rings} Rings */
/** @typedef {import("./plane.js").Spot} Spot */

const LEAST = 1e-12; // sigmas; an edge that points at the centre spans nothing
// Nodes and weights of Gauss and Legendre on [-1, 1], the positive half of twenty.
const NODES = [0.07652652113349734, 0.22778585114164507, 0.37370608871541955, 0.5108670019508271, 0.636053680726515,
  0.7463319064601508, 0.8391169718222188, 0.912234428251326, 0.9639719272779138, 0.9931285991850949];
const WEIGHTS = [0.15275338713072584, 0.14917298647260374, 0.14209610931838204, 0.13168863844917664, 0.11819453196151841,
  0.10193011981724044, 0.08327674157670475, 0.06267204833410907, 0.04060142980038694, 0.017614007139152118];

/**
 * @param {Rings} rings metres, oriented
 * @param {Spot} centre
 * @param {number} sigma metres
 */
export function gaussianMass(rings, centre, sigma) {
  let mass = 0;
  for (const ring of rings) {
    for (let k = 1; k < ring.length; k++) mass += edgeMass(ring[k - 1], ring[k], centre, sigma);
  }
  return Math.min(1, Math.max(0, mass));
}

/** @param {Spot} start @param {Spot} end @param {Spot} centre @param {number} sigma */
function edgeMass(start, end, centre, sigma) {
  const ax = (start[0] - centre[0]) / sigma, ay = (start[1] - centre[1]) / sigma;
  const bx = (end[0] - centre[0]) / sigma, by = (end[1] - centre[1]) / sigma;
  const length = Math.hypot(bx - ax, by - ay);
  if (!length) return 0;
  const ux = (bx - ax) / length, uy = (by - ay) / length, turn = ax * uy - ay * ux, height = Math.abs(turn);
  if (height <= LEAST) return 0;
  const low = (ax * ux + ay * uy) / height, high = (bx * ux + by * uy) / height;
  return Math.sign(turn) * ((Math.atan(high) - Math.atan(low)) / (2 * Math.PI) - owensT(height, high)
    + owensT(height, low));
}

/**
 * Owen's T of h >= 0 and any a.
 * @param {number} h
 * @param {number} a
 * @returns {number}
 */
export function owensT(h, a) {
  if (a < 0) return -owensT(h, -a);
  if (a > 1) { // Owen's own way down to a slope of at most 1
    const one = tail(h), other = tail(a * h);
    return (one + other) / 2 - one * other - owensT(a * h, 1 / a);
  }
  let sum = 0;
  NODES.forEach((node, k) => {
    for (const x of [a * (1 + node) / 2, a * (1 - node) / 2]) {
      sum += WEIGHTS[k] * Math.exp(-h * h * (1 + x * x) / 2) / (1 + x * x);
    }
  });
  return sum * a / (4 * Math.PI);
}

/**
 * The normal distribution beyond x >= 0.
 * @param {number} x
 */
function tail(x) {
  if (x > 38) return 0;
  const density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  if (x > 3) { // continued fraction of Laplace
    let rest = x;
    for (let k = 60; k > 0; k--) rest = x + k / rest;
    return density / rest;
  }
  let term = x, sum = x;
  for (let k = 3; term > 1e-17; k += 2) sum += term *= x * x / k;
  return 0.5 - density * sum;
}
