// Calls of the console's API. Changes carry the session's CSRF token; errors are problem documents (RFC 9457).

const token = document.querySelector('meta[name="csrf"]').content;

export class ProblemError extends Error {
  constructor(status, problem) {
    super(problem.detail ?? `the service answered ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

export async function call(method, path, body) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = token;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new ProblemError(answer.status, await answer.json().catch(() => ({})));
  return answer.status === 204 ? null : answer.json();
}
