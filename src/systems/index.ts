/** Layer 3: systems of a user's own: files in the form of the catalog, read and checked whole. */
export { taskSystems } from "./task-systems.ts";
export { OwnSystems, type OwnSystem } from "./own-systems.ts";
export { systemsIn, type HomeSystems } from "./known.ts";
