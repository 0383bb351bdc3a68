/** Layer 2: what a daemon counts of its record, as families of metrics, and their text for Prometheus. */
export { createCounts, type Counts, type KnownWords } from "./counts.ts";
export { CLOSED_LABELS, FAMILIES, type FamilyName } from "./families.ts";
export {
  CONTENT_TYPES,
  renderFamilies,
  type Family,
  type MetricsForm,
  type Sample,
} from "./text.ts";
