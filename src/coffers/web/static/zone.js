// Offers the browser's own time zone beside the field, where it is not chosen already.

const field = document.getElementById("time_zone");
const button = document.getElementById("own-zone");
const own = new Intl.DateTimeFormat().resolvedOptions().timeZone;

function offer() {
  button.hidden = !own || field.value === own;
}

button.textContent = `Use this browser's: ${own}`;
button.addEventListener("click", () => {
  field.value = own;
  offer();
  field.focus();
});
field.addEventListener("input", offer);
offer();
