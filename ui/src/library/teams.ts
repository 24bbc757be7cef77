import type { ProjectView } from "../bindings/ProjectView";

/** Projects under their teams, each in the order in which they came. */
export function byTeam(
  projects: readonly ProjectView[],
): { team: string; projects: readonly ProjectView[] }[] {
  return [...new Set(projects.map(({ team }) => team))].map((team) => ({
    team,
    projects: projects.filter((project) => project.team === team),
  }));
}
