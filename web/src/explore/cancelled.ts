// The editor rejects what it was still computing when it is closed, and nobody waits for that any more. Its own error
// handler knows such a rejection by these two words (isCancellationError in monaco-editor) and is silent about it.
window.addEventListener("unhandledrejection", (event) => {
  const { reason } = event as { reason?: { name?: unknown; message?: unknown } };
  if (reason?.name === "Canceled" && reason.message === "Canceled") event.preventDefault();
});

export {};
