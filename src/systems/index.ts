/** Layer 3: systems of a user's own: files in the form of the catalog, read and checked whole. */
export { OwnSystems, type OwnSystem } from "./own-systems.ts";
