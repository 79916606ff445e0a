import { error } from '@sveltejs/kit';
import { frameOf } from '#lib/server/frame.ts';
import { incidentView } from '#lib/view.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = ({ platform, params }) => {
  const frame = frameOf(platform);
  const incident = frame.snapshot?.incidents.find((incident) => incident.id === params.id);
  if (!incident) error(404, 'No incident of the last 90 days has this address.');
  return { incident: incidentView(incident, frame) };
};
