/** Stands in for Node modules that are named, but never used, in a browser. */
export default {};
