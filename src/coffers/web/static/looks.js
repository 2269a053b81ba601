// Tells while one types what an address is, or what is wrong with it: the server looks at its form
// and its checksum, and asks nobody. It is sent as a form, never as a part of an address.
const WAIT = 300;

const form = document.querySelector("form[data-looks]");
const input = form?.elements.address;

if (input) {
  const look = document.createElement("span");
  look.className = "look";
  look.id = "address-look";
  look.setAttribute("role", "status");
  input.closest(".field").append(look);
  const described = input.getAttribute("aria-describedby");
  input.setAttribute("aria-describedby", described ? `${described} ${look.id}` : look.id);

  let waiting = 0;
  let asking = null;

  const show = (text, kind) => {
    look.textContent = text;
    look.className = kind ? `look ${kind}` : "look";
    if (kind === "bad") input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };

  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    const body = new URLSearchParams({
      form_key: form.elements.form_key.value,
      address: input.value,
    });
    try {
      const answer = await fetch(form.dataset.looks, { method: "POST", body, signal: asking.signal });
      if (!answer.ok || answer.redirected) return show("");
      const { is_good: isGood, told } = await answer.json();
      show(isGood ? `✓ ${told}` : `It ${told}`, isGood ? "good" : "bad");
    } catch {
      // Nothing is told then; the form is checked when it is sent.
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(waiting);
    asking?.abort();
    show("");
    // What was refused when the form was sent is about another text now.
    input.closest(".field").querySelector(".fault")?.remove();
    if (input.value.trim()) waiting = setTimeout(ask, WAIT);
  });
}
