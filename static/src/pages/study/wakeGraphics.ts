/** Run as a worker: the browser's graphics process starts while the page still waits for the network. */
const context = new OffscreenCanvas(1, 1).getContext('webgl2');

/** Kept until the viewer has one of its own. */
export default context;
