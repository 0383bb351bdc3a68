/**
 * Questions to the picture; each is solved anew by the server.
 *
 * @module
 */
import { useState } from "react";
import { Button, Panel, Untrusted } from "../../parts/index.ts";
import type { Radius, WhatIf } from "../../radius/index.ts";
import styles from "./blast.module.css";

const APPROVERS = [
  ["asked", "is asked as the file says"],
  ["fooled", "says yes to everything"],
  ["never", "never says yes"],
] as const;
/** More verbs are looked for by their names. */
const VERBS_SHOWN = 6;

export function WhatIfPanel(props: {
  readonly radius: Radius;
  readonly whatIf: WhatIf;
  readonly onChange: (whatIf: WhatIf) => void;
}) {
  const { radius, whatIf, onChange } = props;
  const { withoutGrants = [], withoutFacts = [], leave = [], approver = "asked" } = whatIf;
  const isAny =
    withoutGrants.length + withoutFacts.length + leave.length > 0 || approver !== "asked";
  return (
    <Panel
      title="What if"
      actions={
        isAny ? (
          <Button kind="quiet" onClick={() => onChange({})}>
            As it is
          </Button>
        ) : null
      }
    >
      <div className={styles.whatIf}>
        <fieldset>
          <legend>Whoever approves</legend>
          {APPROVERS.map(([value, says]) => (
            <label key={value}>
              <input
                type="radio"
                name="approver"
                checked={approver === value}
                onChange={() => onChange({ ...whatIf, approver: value })}
              />
              {says}
            </label>
          ))}
        </fieldset>
        {radius.grants.length === 0 ? null : (
          <fieldset>
            <legend>Without the grant</legend>
            {radius.grants.map((grant) => (
              <label key={grant}>
                <input
                  type="checkbox"
                  checked={withoutGrants.includes(grant)}
                  onChange={() =>
                    onChange({ ...whatIf, withoutGrants: toggled(withoutGrants, grant) })
                  }
                />
                {grant}
              </label>
            ))}
          </fieldset>
        )}
        <Leave
          radius={radius}
          leave={leave}
          onLeave={(next) => onChange({ ...whatIf, leave: next })}
        />
        {withoutFacts.length === 0 ? null : (
          <fieldset>
            <legend>If it were not so</legend>
            {withoutFacts.map((fact) => (
              <label key={fact}>
                <input
                  type="checkbox"
                  checked
                  onChange={() =>
                    onChange({ ...whatIf, withoutFacts: toggled(withoutFacts, fact) })
                  }
                />
                <code>
                  <Untrusted text={fact} />
                </code>
              </label>
            ))}
          </fieldset>
        )}
      </div>
    </Panel>
  );
}

function toggled(list: readonly string[], one: string): string[] {
  return list.includes(one) ? list.filter((other) => other !== one) : [...list, one];
}

type Verb = NonNullable<WhatIf["leave"]>[number];

function Leave(props: {
  readonly radius: Radius;
  readonly leave: readonly Verb[];
  readonly onLeave: (leave: Verb[]) => void;
}) {
  const { radius, leave, onLeave } = props;
  const [isAll, setAll] = useState(false);
  const { waiting } = radius;
  if (waiting.length === 0) return null;
  const has = (one: Verb) => leave.some((other) => isSame(one, other));
  const shown = isAll ? waiting : waiting.filter((one, at) => at < VERBS_SHOWN || has(one));
  return (
    <fieldset>
      <legend>With leave for</legend>
      {shown.map((verb) => (
        <label key={`${verb.grant} ${verb.verb}`}>
          <input
            type="checkbox"
            checked={has(verb)}
            onChange={() =>
              onLeave(has(verb) ? leave.filter((one) => !isSame(one, verb)) : [...leave, verb])
            }
          />
          {verb.verb} of {verb.grant}
        </label>
      ))}
      {shown.length === waiting.length ? null : (
        <Button kind="quiet" onClick={() => setAll(true)}>
          {waiting.length - shown.length} more
        </Button>
      )}
    </fieldset>
  );
}

function isSame(a: Verb, b: Verb): boolean {
  return a.grant === b.grant && a.verb === b.verb;
}
