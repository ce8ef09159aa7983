// Small helpers for the page's elements. Text goes in as text, never as markup.

export const byId = (id) => document.getElementById(id);

/** A new element with a class, members, and children (elements or text). */
export function element(tag, className = "", members = {}, children = []) {
  const made = Object.assign(document.createElement(tag), members);
  if (className) made.className = className;
  made.append(...children);
  return made;
}
