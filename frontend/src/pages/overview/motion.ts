/** The least of Motion: it runs on the browser's own animations. */
export { animate } from "motion/mini";
