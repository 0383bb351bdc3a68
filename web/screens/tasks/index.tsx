/** Task files: read, written beside what they allow and what that makes possible, and proposals for them. */
export { TasksScreen } from "./screen.tsx";
