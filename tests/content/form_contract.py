"""What each form asks, restated from sections 1 and 2 of the decision tables.

By linkId: the type, a repeat marked by +, and the answer codes in order.
"""

from __future__ import annotations

FORMS = ("htg117-eligibility", "htg117-procedure", "htg117-follow-up")

STATUS = "failed controlling given-awaiting-effect unsuitable declined not-tried not-known"
SITES = "vertebra sacrum acetabulum ilium other-pelvis femur humerus rib sternum other"
ELIGIBILITY = {
    "lesion.nature": "choice bone-metastasis primary-malignant-bone-tumour haematological-malignancy "
    "benign not-established",
    "lesion.site": f"choice+ {SITES}",
    "lesion.near-joint": "boolean",
    "pain.present": "boolean",
    "pain.score": "decimal",
    "aim": "choice+ reduce-pain stabilise-bone other",
    "treatment.analgesia": f"choice {STATUS}",
    "treatment.bed-rest": f"choice {STATUS}",
    "treatment.radiotherapy": f"choice {STATUS}",
    "treatment.radiotherapy.last-fraction": "date",
    "treatment.other": "text+",
    "mdt.outcome": "choice selected not-selected pending not-discussed not-known",
    "mdt.date": "date",
    "mdt.specialty": "choice+ radiology oncology radiotherapy orthopaedics pain-management "
    "palliative-care other",
    "arrangements.consent": "boolean",
    "arrangements.audit": "boolean",
    "arrangements.governance": "boolean",
    "technique.fluoroscopy": "boolean",
    "patient.information-given": "boolean",
}
EVENT = {
    "event": "group+",
    "event.term": "choice cement-leak intra-articular-leak chondrolysis pain-worse-transient fever "
    "creatinine-raised venous-cement-embolus nerve-injury vascular-injury pathological-fracture infection "
    "bleeding thermal-damage thermal-nerve-damage anaphylaxis cement-implantation-syndrome "
    "pulmonary-embolism spinal-cord-compression sedation-reaction device-fault death-cause-unknown other",
    "event.other": "text",
    "event.actuality": "choice actual potential",
    "event.onset": "dateTime",
    "event.recognised-date": "date",
    "event.severity": "choice mild moderate severe",
    "event.seriousness": "choice+ death life-threatening hospitalisation disability congenital-anomaly "
    "intervention-required medically-important none",
    "event.outcome": "choice resolved recovering ongoing resolvedWithSequelae fatal unknown",
    "event.symptomatic": "boolean",
    "event.leak-site": "choice soft-tissue intra-articular venous spinal-canal-or-foramen other",
    "event.suspect": "choice+ cement trocar-or-needle other-device medicine procedure-itself not-known",
    "event.suspect-reason": "text",
    "event.medicine": "group+",
    "event.medicine.name": "string",
    "event.medicine.dose": "string",
    "event.medicine.route": "string",
    "event.medicine.batch": "string",
    "event.device": "group",
    "event.device.product": "string",
    "event.device.manufacturer": "string",
    "event.device.lot": "string",
    "event.device.udi": "string",
    "event.device-fault": "boolean",
    "event.device-location": "choice kept discarded in-the-patient",
    "event.medicine-defective": "boolean",
    "event.treatment": "text",
    "event.narrative": "text",
    "event.yellow-card": "group+",
    "event.yellow-card.reference": "string",
    "event.yellow-card.date": "date",
}
PROCEDURE = {
    "procedure.date": "date",
    "procedure.operator-grade": "string",
    "procedure.consent-recorded": "boolean",
    "procedure.anaesthesia": "choice general conscious-sedation-local other",
    "procedure.needle-gauge": "integer",
    "procedure.guidance": "choice fluoroscopy fluoroscopy-ct",
    "procedure.multi-plane": "boolean",
    "procedure.technical-success": "boolean",
    "recumbent-until-hardened": "boolean",
    "non-weight-bearing-until-hardened": "boolean",
    "pain.score": "decimal",
    "walking.score": "integer",
    "site": "group+",
    "site.location": f"choice {SITES}",
    "cement.product": "string",
    "cement.manufacturer": "string",
    "cement.lot": "string",
    "cement.udi": "string",
    "cement.radiopaque": "boolean",
    "cement.antibiotic": "boolean",
    "cement.volume": "quantity",
    "filling.result": "choice good partial poor not-imaged",
    "leak.occurred": "boolean",
    "leak.action": "choice halted-to-harden needle-repositioned none",
} | EVENT
FOLLOW_UP = {
    "follow-up.date": "date",
    "follow-up.status": "choice seen died-before-follow-up lost",
    "pain.score": "decimal",
    "pain.relief": "choice total clear moderate none worse",
    "analgesia.needed": "boolean",
    "mobility.change": "choice improved unchanged worse",
    "walking.score": "integer",
    "temperature": "quantity",
    "creatinine": "quantity",
    "creatinine.baseline": "quantity",
} | EVENT
CONTRACT = dict(zip(FORMS, (ELIGIBILITY, PROCEDURE, FOLLOW_UP), strict=True))
