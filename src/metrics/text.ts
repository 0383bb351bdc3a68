/**
 * The two texts that a scraper may ask for: Prometheus' own (0.0.4) and OpenMetrics 1.0.
 *
 *   # HELP cofferdam_actions_total Actions judged, by verdict.
 *   # TYPE cofferdam_actions_total counter            OpenMetrics names the family: cofferdam_actions
 *   cofferdam_actions_total{verdict="allow"} 12
 *   # EOF                                             OpenMetrics only
 *
 * @module
 */
export type MetricsForm = "plain" | "openmetrics";

/** One line. `suffix` is of a histogram: `_bucket`, `_sum`, `_count`. */
export interface Sample {
  readonly suffix?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with all its lines; the name of a counter ends in `_total`. */
export interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Content types of the two, for the answer. */
export const CONTENT_TYPES: Readonly<Record<MetricsForm, string>> = {
  plain: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** The text of `families`, in their order. */
export function renderFamilies(families: readonly Family[], form: MetricsForm): string {
  const lines = families.flatMap(({ name, type, help, samples }) => {
    const isShort = form === "openmetrics" && type === "counter";
    const title = isShort ? name.replace(/_total$/, "") : name;
    return [
      `# HELP ${title} ${escaped(help)}`,
      `# TYPE ${title} ${type}`,
      ...samples.map(({ suffix = "", labels, value }) => {
        return `${name}${suffix}${labelsText(labels)} ${numberText(value)}`;
      }),
    ];
  });
  return `${[...lines, ...(form === "openmetrics" ? ["# EOF"] : [])].join("\n")}\n`;
}

function labelsText(labels: Sample["labels"]): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    return `${name}="${escaped(value).replaceAll('"', '\\"')}"`;
  });
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  return Number.isFinite(value) ? String(value) : "NaN";
}
