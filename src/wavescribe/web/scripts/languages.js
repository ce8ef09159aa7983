// Languages by their names in the reader's own language.

const names = displayNames();

/** Some systems name languages of the reader that no browser knows. */
function displayNames() {
  const options = { type: "language", fallback: "code" };
  try {
    return new Intl.DisplayNames([...navigator.languages, "en"], options);
  } catch {
    return new Intl.DisplayNames(["en"], options);
  }
}

/** The name of a language by its code. */
export function languageName(code) {
  try {
    const name = names.of(code);
    return name.charAt(0).toLocaleUpperCase() + name.slice(1);
  } catch {
    return code;
  }
}

/** Fill the choice: a model of one language has nothing to detect. */
export function offerLanguages(select, codes) {
  const options = codes.map((code) => new Option(languageName(code), code));
  options.sort((one, other) => one.text.localeCompare(other.text));
  if (codes.length === 1) select.replaceChildren(...options);
  else select.append(...options);
  select.disabled = codes.length === 1;
}
