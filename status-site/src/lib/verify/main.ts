/** What the page of /verify loads: the form, in place of what is said without JavaScript. */
import { mount } from 'svelte';
import Verify from './Verify.svelte';

const target = document.querySelector<HTMLElement>('#checker');
const worker = target?.dataset['worker'];
if (target && worker !== undefined) {
  target.replaceChildren();
  mount(Verify, { target, props: { worker } });
}
