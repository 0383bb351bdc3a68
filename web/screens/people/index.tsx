/** Who there is. */
import { Sessions } from "./sessions.tsx";

export function PeopleScreen() {
  return (
    <>
      <h1>People</h1>
      <Sessions />
    </>
  );
}
