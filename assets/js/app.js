// What script adds to pages that work without it: buttons that copy an id or print, menus
// that close when one leaves them, and addresses without empty filters.

const announce = (text) => {
  const place = document.getElementById("announce");
  if (!place) return;
  place.textContent = "";
  // A change has to be seen as one to be read out.
  requestAnimationFrame(() => { place.textContent = text; });
};

const showCopyButtons = (root) => {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll(".copy[hidden]")) button.hidden = false;
};
const showPrintButtons = (root) => {
  for (const button of root.querySelectorAll(".print[hidden]")) button.hidden = false;
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.(".copy");
  if (button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      return; // not allowed: the id stays text to select
    }
    button.classList.add("done");
    announce(`${button.dataset.done}: ${button.dataset.copy}`);
    setTimeout(() => button.classList.remove("done"), 1500);
    return;
  }
  if (event.target.closest?.(".print")) {
    print();
    return;
  }
  for (const menu of document.querySelectorAll("details:is(.account, .view-rest)[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details:is(.account, .view-rest)[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// Single letters, for those who turned them on: each stands for a button or link that is on the page.
document.addEventListener("keydown", (event) => {
  if (!document.querySelector("[data-keys]") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]") || !/^[a-z]$/.test(event.key)) return;
  if (event.key === "k") return history.back();
  document.querySelector(`[data-key="${event.key}"]`)?.click();
});
if (document.querySelector("[data-keys]") && new URLSearchParams(location.search).has("mode")) document.getElementById("case")?.focus();

// A form that came back with problems: whoever cannot see the page is led to them.
document.querySelector('.problem[role="alert"]')?.focus();

// Empty filters say nothing: keep them out of addresses that people share.
const dropEmpty = (data) => {
  for (const [name, value] of [...data.entries()]) {
    if (value === "") data.delete(name);
  }
};
document.addEventListener("formdata", (event) => {
  if (event.target.method === "get") dropEmpty(event.formData);
});
document.addEventListener("htmx:config:request", (event) => {
  const request = event.detail?.ctx?.request;
  if (request?.method === "GET" && request.body?.entries) dropEmpty(request.body);
});

// A file that the page will not take is said to be too large before it is sent.
document.addEventListener("change", ({ target }) => {
  const { most, tooLarge } = target.dataset ?? {};
  if (!most) return;
  target.setCustomValidity([...target.files].some((file) => file.size > Number(most)) ? tooLarge : "");
  target.reportValidity();
});

// A form whose answer takes some seconds says so while one waits.
document.addEventListener("submit", (event) => {
  const place = event.target.querySelector("[data-busy-text]");
  if (place) place.textContent = event.target.dataset.busy;
});
addEventListener("pageshow", () => { // back in a page that was kept
  for (const place of document.querySelectorAll("[data-busy-text]")) place.textContent = "";
});

// An answer without the part that was asked for (an error, or the way to sign-in) is
// for the whole window. A progress poll that met an error just asks again.
document.addEventListener("htmx:after:request", (event) => {
  const { select, request, response, text } = event.detail?.ctx ?? {};
  if (!select?.startsWith("#")) return;
  const failed = response.status >= 400;
  if (!failed && text.includes(`id="${select.slice(1)}"`)) return;
  event.preventDefault();
  if (!(failed && select === "#progress")) location.assign(request.action);
});

const showButtons = () => {
  showCopyButtons(document);
  showPrintButtons(document);
};
document.addEventListener("htmx:after:swap", showButtons);
showButtons();

// A run under way says when it has moved; the part of the page about it then asks for
// itself, and the whole page once it is over. Without the events the part asks by the
// clock.
const live = document.querySelector("[data-live]");
if (live) {
  const source = new EventSource(live.dataset.live);
  source.addEventListener("moved", () => {
    document.querySelector("[data-live]")?.dispatchEvent(new CustomEvent("sync-moved"));
  });
  source.addEventListener("over", () => {
    source.close();
    location.reload();
  });
  addEventListener("pagehide", () => source.close());
}
