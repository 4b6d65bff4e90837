// The live preview of an offer: what is typed is sent to this server, which answers with a piece of
// the page. Nothing is saved, and nobody else is asked.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const panel = document.querySelector("[data-offer-preview]");
  const form = panel && panel.closest("form");
  if (!form) return;
  let asked = 0;
  let timer = 0;

  async function ask(url, place) {
    const response = await fetch(url, { method: "POST", body: new FormData(form) });
    const text = response.ok ? await response.text() : "";
    return { text, place };
  }

  async function refresh() {
    const mine = ++asked;
    const { text, place } = await ask(panel.dataset.offerPreview, panel.querySelector("[data-offer-prices]"));
    if (mine === asked && text) place.innerHTML = text; // only the answer to the latest question
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(refresh, 250);
  }

  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  if (window.django && window.django.jQuery) window.django.jQuery(form).on("change", "select", soon);
  panel.querySelector("[data-offer-check]").addEventListener("click", async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    const { text, place } = await ask(panel.dataset.offerLosses, panel.querySelector("[data-offer-findings]"));
    button.disabled = false;
    place.innerHTML = text;
  });
  refresh();
});
