/** How bad could a task get: numbers, ways, a picture of them, and what would make it smaller. */
export { BlastScreen } from "./screen.tsx";
