/** A payment: how much and to whom, large. */
import type { LookOf } from "../../../../src/api/index.ts";
import { Untrusted } from "../../../parts/index.ts";
import { Person } from "./mail.tsx";
import { Passages } from "./passage.tsx";
import styles from "../approvals.module.css";

export function PaymentView(props: {
  look: LookOf<"payment">;
  id: string;
  strangers: readonly string[];
}) {
  const { look, id, strangers } = props;
  const { amount, currency = "", recipients, passages } = look;
  return (
    <>
      <p className={styles.money}>
        {amount === undefined ? (
          "An amount that the request does not say"
        ) : (
          <Untrusted text={`${amount} ${currency}`} />
        )}
      </p>
      <h3>To</h3>
      {recipients.length === 0 ? (
        <p className={styles.warning}>To whom, the request does not say.</p>
      ) : (
        recipients.map((one, at) => (
          <Person key={at} address={one} sender="" id={id} strangers={strangers} />
        ))
      )}
      <Passages passages={passages} />
    </>
  );
}
