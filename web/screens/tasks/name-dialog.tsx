/** Asks what a new task file is called. */
import { useState } from "react";
import { useCall } from "../../calls/index.ts";
import { Button, Dialog, Field } from "../../parts/index.ts";
import { fileNameOf, nameProblem } from "./names.ts";
import styles from "./tasks.module.css";

export function NameDialog(props: {
  readonly title: string;
  readonly suggested: string;
  readonly onName: (name: string) => void;
  readonly onClose: () => void;
}) {
  const { title, suggested, onName, onClose } = props;
  const [name, setName] = useState(suggested);
  const tasks = useCall("task.list", {});
  const own = (tasks.data?.tasks ?? []).filter(({ kind }) => kind === "own");
  const problem = nameProblem(name, new Set(own.map(({ file }) => fileNameOf(file))));
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (name !== "" && problem === undefined) onName(name);
        }}
      >
        <Field
          label="File name"
          value={name}
          hint={`It lies in ${tasks.data?.folder ?? "the home's tasks/"}.`}
          problem={problem}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setName(event.target.value)}
        />
        <footer className={styles.buttons}>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={name === "" || problem !== undefined}>
            Begin
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
