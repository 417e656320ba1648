//! Job titles, in English and French: rank, function, and the part in a decision to buy.
//!
//! A title is read as words in lower case without accents; the words of a phrase must follow each
//! other. Feminine forms and abbreviations are phrases of their own, or ends left
//! open: `comptab*` is every word that begins so.

use super::{fold, head};

/// Words of a title that are looked at: what follows is not a title any more.
const WORDS: usize = 24;

/// The words of a title. Inclusive forms (`chargé(e)`, `directeur·rice`, `directeur/trice`) lose their ending,
/// `R&D` is one word, and so is an abbreviation with dots (`P.D.G.`).
fn words(title: &str) -> Vec<String> {
    let mut text = fold(head(title, 400));
    // Most titles have none of this.
    if text.contains(['(', '·', '/', '&']) {
        for ending in [
            "(e)", "(ne)", "(se)", "(euse)", "(ere)", "(re)", "(trice)", "(rice)", "(ice)", "(fe)", "·e",
            "·ne", "·se", "·euse", "·ere", "·re", "·trice", "·rice", "·ice", "·fe", "/trice", "/rice",
            "/ice", "/euse", "/ere",
        ] {
            text = text.replace(ending, "");
        }
        for (written, read) in [("r&d", "rd"), ("r & d", "rd"), ("h/f", ""), ("f/h", ""), ("m/f", "")] {
            text = text.replace(written, read);
        }
    }
    let mut words: Vec<String> = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '.') {
        let parts: Vec<&str> = word.split('.').filter(|part| !part.is_empty()).collect();
        // Letters with dots between them join: p.d.g. is pdg.
        if parts.len() > 1 && parts.iter().all(|part| part.chars().count() == 1) {
            words.push(parts.concat());
        } else {
            words.extend(parts.into_iter().map(str::to_owned));
        }
        if words.len() >= WORDS {
            break;
        }
    }
    words.truncate(WORDS);
    words
}

/// Whether `phrase` begins at `at`.
fn stands_at(words: &[String], at: usize, phrase: &str) -> bool {
    // Most phrases begin with another letter: no need to take them apart.
    if words[at].as_bytes().first() != phrase.as_bytes().first() {
        return false;
    }
    let mut rest = words[at..].iter();
    phrase.split(' ').all(|part| {
        rest.next().is_some_and(|word| match part.strip_suffix('*') {
            Some(beginning) => word.starts_with(beginning),
            None => word == part,
        })
    })
}

/// Where the first of these phrases begins, and its number of words: the earliest, and there the longest.
fn find(words: &[String], phrases: &[&str]) -> Option<(usize, usize)> {
    (0..words.len()).find_map(|at| {
        phrases
            .iter()
            .filter(|phrase| stands_at(words, at, phrase))
            .map(|phrase| phrase.split(' ').count())
            .max()
            .map(|length| (at, length))
    })
}

fn has(words: &[String], phrases: &[&str]) -> bool {
    find(words, phrases).is_some()
}

/// Ranks, with the codes of People Data Labs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seniority {
    /// Owns or founded the firm, or runs it as *gérant*.
    Owner,
    /// Heads the firm, or a whole function of it: CEO, CFO, *PDG*, *directeur général*.
    Cxo,
    /// Partner of a firm.
    Partner,
    /// Vice president.
    Vp,
    /// Director, head of.
    Director,
    /// Manager, *responsable*, *chef de*, team leader.
    Manager,
    /// Senior, expert, principal.
    Senior,
    /// Entry level: assistant, junior, agent.
    Entry,
    /// Trainee, apprentice.
    Training,
    /// Volunteer.
    Unpaid,
}

impl Seniority {
    /// All, the highest first.
    pub const ALL: [Seniority; 10] = [
        Seniority::Owner,
        Seniority::Cxo,
        Seniority::Partner,
        Seniority::Vp,
        Seniority::Director,
        Seniority::Manager,
        Seniority::Senior,
        Seniority::Entry,
        Seniority::Training,
        Seniority::Unpaid,
    ];

    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Seniority::Owner => "owner",
            Seniority::Cxo => "cxo",
            Seniority::Partner => "partner",
            Seniority::Vp => "vp",
            Seniority::Director => "director",
            Seniority::Manager => "manager",
            Seniority::Senior => "senior",
            Seniority::Entry => "entry",
            Seniority::Training => "training",
            Seniority::Unpaid => "unpaid",
        }
    }
}

const TRAINING: &[&str] = &[
    "stagiaire*",
    "stage",
    "intern",
    "interns",
    "internship",
    "trainee*",
    "apprenti",
    "apprentie",
    "apprentice*",
    "apprentissage",
    "alternant*",
    "alternance",
    "werkstudent*",
    "working student",
    "student",
    "etudiant*",
    "vie",
];
const UNPAID: &[&str] = &["volunteer*", "benevole*", "unpaid"];
const ASSISTANTS: &[&str] = &[
    "assistant",
    "assistante",
    "assistants",
    "assistantes",
    "secretaire",
    "secretary",
    "pa",
    "ea",
    "attache de direction",
    "attachee de direction",
];
/// What makes of an assistant somebody else's: `assistante du directeur`, `assistant to the CEO`.
const OF: &[&str] = &["to", "of", "de", "du", "des", "d", "aupres", "a"];
const HIGHER: &[&str] =
    &["manager", "director", "vice president", "vp", "head", "controller", "general manager"];
const GENERAL_SECRETARY: &[&str] = &["secretaire general*", "secretary general", "general secretary"];
const DEPUTY_OF: &[&str] = &[
    "adjoint au",
    "adjointe au",
    "adjoint a",
    "adjointe a",
    "adjoint du",
    "adjointe du",
    "adjoint de",
    "adjointe de",
    "adjoint des",
    "adjointe des",
    "deputy to",
];
const NO_OWNER: &[&str] = &[
    "product owner*",
    "process owner*",
    "service owner",
    "data owner",
    "gerant de portefeuille*",
    "gerante de portefeuille*",
    "gerant de fonds",
    "gerante de fonds",
    "gerant de patrimoine",
    "gerante de patrimoine",
    "gerant d immeuble*",
    "gerante d immeuble*",
];
const SHOP: &[&str] = &[
    "gerant de magasin",
    "gerante de magasin",
    "gerant de boutique",
    "gerante de boutique",
    "gerant de succursale",
    "gerante de succursale",
];
const OWNER: &[&str] = &[
    "owner",
    "co owner",
    "founder",
    "cofounder",
    "founding",
    "proprietaire",
    "fondateur",
    "fondatrice",
    "cofondateur",
    "cofondatrice",
    "co fondateur",
    "co fondatrice",
    "gerant",
    "gerante",
    "cogerant",
    "cogerante",
    "co gerant",
    "co gerante",
    "entrepreneur",
    "entrepreneuse",
    "entrepreneure",
    "autoentrepreneur*",
    "auto entrepreneur*",
    "micro entrepreneur*",
    "patron",
    "patronne",
    "chef d entreprise",
    "cheffe d entreprise",
    "dirigeant",
    "dirigeante",
    "exploitant agricole",
    "exploitante agricole",
    "independant",
    "independante",
    "freelance*",
    "artisan",
    "artisane",
    "self employed",
    "proprietor",
    "sole trader",
];
const NO_PARTNER: &[&str] = &[
    "acquisition partner*",
    "business partner*",
    "partner manager",
    "partner account",
    "partner sales",
    "partner marketing",
    "partner success",
    "partner development",
    "hr partner",
    "channel partner",
    "talent partner",
    "people partner",
    "partner program*",
    "training partner",
];
const PARTNER: &[&str] = &["partner", "partners", "associe", "associee", "associes"];
const VP: &[&str] = &["vp", "svp", "evp", "avp", "vice president*", "vice presidente", "vicepresident*"];
const CXO: &[&str] = &[
    "ceo",
    "cfo",
    "coo",
    "cto",
    "cio",
    "cmo",
    "chro",
    "cdo",
    "cpo",
    "cro",
    "ciso",
    "cso",
    "cco",
    "clo",
    "cao",
    "pdg",
    "dg",
    "dga",
    "dgs",
    "dgd",
    "directeur general*",
    "directrice general*",
    "dir general*",
    "dir gen",
    "president",
    "presidente",
    "chairman",
    "chairwoman",
    "chairperson",
    "chair",
    "managing director",
    "md",
    "membre du directoire",
    "conseil d administration",
    "board member",
    "administrateur delegue",
    "administratrice deleguee",
    "executive officer",
    "maire",
    "mayor",
];
const DIRECTOR: &[&str] = &[
    "director",
    "directors",
    "directeur*",
    "directrice*",
    "dir",
    "daf",
    "drh",
    "dsi",
    "dircom",
    "dirco",
    "dcom",
    "head",
    "chief of staff",
    "direction",
    "general manager",
    "gm",
    "sous directeur",
    "sous directrice",
    "company secretary",
    "dam",
    "dmo",
    "rssi groupe",
    "proviseur*",
    "principal de college",
];
const NOT_HEAD: &[&str] =
    &["head chef", "head waiter", "head nurse", "charge de direction", "chargee de direction"];
const MANAGER: &[&str] = &[
    "manager*",
    "mgr",
    "manageur*",
    "manageuse",
    "responsable*",
    "resp",
    "chef",
    "cheffe",
    "chefs",
    "lead",
    "leader",
    "leaders",
    "teamlead",
    "supervisor*",
    "superviseur*",
    "superviseuse",
    "encadrant*",
    "raf",
    "rrh",
    "rssi",
    "foreman",
    "forewoman",
    "contremaitre*",
    "superintendent",
    "conducteur de travaux",
    "conductrice de travaux",
    "head chef",
    "head nurse",
    "head waiter",
    "deputy head",
    "cadre de sante",
    "team leader",
    "maitre d hotel",
    "dpo",
];
const SENIOR: &[&str] = &[
    "senior",
    "sr",
    "snr",
    "confirme",
    "confirmee",
    "expert",
    "experte",
    "principal",
    "principale",
    "experimente",
    "experimentee",
    "staff engineer",
    "iii",
    "fellow",
];
const ENTRY: &[&str] = &[
    "junior",
    "jr",
    "jnr",
    "entry",
    "graduate",
    "debutant*",
    "clerk",
    "agent",
    "agente",
    "employe",
    "employee",
    "operateur",
    "operatrice",
    "operator",
    "hote",
    "hotesse",
    "standardiste",
    "receptionist*",
    "receptionniste*",
    "vendeur",
    "vendeuse",
    "caissier",
    "caissiere",
    "cashier",
    "ouvrier",
    "ouvriere",
    "worker",
    "chauffeur",
    "chauffeuse",
    "driver",
    "magasinier",
    "magasiniere",
    "preparateur*",
    "preparatrice*",
    "aide",
    "auxiliaire",
    "cariste",
    "adjoint administratif",
    "adjointe administrative",
    "adjoint technique",
    "adjointe technique",
    "teleconseiller",
    "teleconseillere",
    "manutentionnaire",
    "helper",
    "serveur",
    "serveuse",
    "waiter",
    "waitress",
    "commis",
];

/// Rank of a job title; `None` if it says nothing of one.
#[must_use]
pub fn seniority(title: &str) -> Option<Seniority> {
    rank(&words(title))
}

fn rank(words: &[String]) -> Option<Seniority> {
    if has(words, TRAINING) {
        return Some(Seniority::Training);
    }
    if has(words, UNPAID) {
        return Some(Seniority::Unpaid);
    }
    if has(words, GENERAL_SECRETARY) {
        return Some(Seniority::Cxo);
    }
    if let Some((at, length)) = find(words, ASSISTANTS) {
        let of_somebody = words.get(at + length).is_some_and(|word| OF.contains(&word.as_str()));
        let company_secretary = has(words, &["company secretary"]);
        if !company_secretary && (of_somebody || !has(&words[at..], HIGHER)) {
            return Some(Seniority::Entry);
        }
    }
    if has(words, DEPUTY_OF) {
        return Some(Seniority::Manager);
    }
    if has(words, SHOP) {
        return Some(Seniority::Manager);
    }
    if has(words, OWNER) && !has(words, NO_OWNER) {
        return Some(Seniority::Owner);
    }
    if has(words, VP) {
        return Some(Seniority::Vp);
    }
    if has(words, PARTNER) && !has(words, NO_PARTNER) {
        return Some(Seniority::Partner);
    }
    let chief = words.iter().any(|w| w == "chief") && words.iter().any(|w| w == "officer");
    if chief || has(words, CXO) {
        return Some(Seniority::Cxo);
    }
    if has(words, DIRECTOR) && !has(words, NOT_HEAD) && !has(words, &["deputy head"]) {
        return Some(Seniority::Director);
    }
    for (phrases, rank) in
        [(MANAGER, Seniority::Manager), (SENIOR, Seniority::Senior), (ENTRY, Seniority::Entry)]
    {
        if has(words, phrases) {
            return Some(rank);
        }
    }
    None
}

/// Functions within a firm: code and phrases. The first in the title wins, the longest of those that
/// begin together.
const FUNCTIONS: &[(&str, &[&str])] = &[
    (
        "purchasing",
        &[
            "achat",
            "achats",
            "acheteur*",
            "acheteuse*",
            "purchasing",
            "purchaser",
            "procurement",
            "buyer*",
            "buying",
            "sourcing",
            "approvisionn*",
            "cpo achats",
        ],
    ),
    (
        "human_resources",
        &[
            "rh",
            "drh",
            "rrh",
            "hr",
            "hrbp",
            "hrd",
            "ressources humaines",
            "human resources",
            "human capital",
            "recrut*",
            "recruit*",
            "talent",
            "talents",
            "paie",
            "payroll",
            "people",
            "chro",
            "relations sociales",
            "gpec",
            "charge de formation",
            "chargee de formation",
            "responsable formation",
            "learning and development",
            "hris",
        ],
    ),
    (
        "finance",
        &[
            "finance*",
            "financier*",
            "financiere*",
            "financial",
            "cfo",
            "daf",
            "raf",
            "comptab*",
            "accounting",
            "accountant*",
            "accounts payable",
            "accounts receivable",
            "accounts",
            "controle de gestion",
            "controleur de gestion",
            "controleuse de gestion",
            "controleur financier",
            "controller",
            "comptroller",
            "tresori*",
            "treasur*",
            "audit",
            "auditeur*",
            "auditrice*",
            "auditor*",
            "credit*",
            "fiscal*",
            "tax",
            "expert comptab*",
            "bookkeeper*",
            "recouvrement",
            "administratif et financier",
            "administrative et financiere",
            "administration et finances",
            "investment*",
            "investissement*",
            "tax manager",
        ],
    ),
    (
        "legal",
        &[
            "juridique*",
            "juriste*",
            "legal",
            "lawyer*",
            "avocat*",
            "counsel",
            "attorney",
            "notaire*",
            "notary",
            "compliance",
            "conformite",
            "dpo",
            "clo",
            "paralegal",
            "company secretary",
            "data protection",
            "protection des donnees",
        ],
    ),
    (
        "it",
        &[
            "it",
            "dsi",
            "dosi",
            "cio",
            "cto",
            "ciso",
            "rssi",
            "informati*",
            "logiciel*",
            "machine learning",
            "systemes d information",
            "systeme d information",
            "information system*",
            "information technology",
            "developpeu*",
            "developer*",
            "software",
            "data",
            "devops",
            "sysadmin*",
            "administrateur systeme*",
            "administratrice systeme*",
            "reseau",
            "reseaux",
            "network*",
            "cybersec*",
            "cyber",
            "securite informatique",
            "securite des systemes",
            "support informatique",
            "support technique informatique",
            "it support",
            "helpdesk",
            "programme*",
            "programmer*",
            "full stack",
            "fullstack",
            "backend",
            "frontend",
            "front end",
            "back end",
            "scrum*",
            "cloud",
            "solutions architect",
            "architecte logiciel*",
            "database*",
            "dba",
            "erp",
            "sap",
            "developpement web",
            "web developer",
            "data protection engineer",
            "ingenieur systeme*",
        ],
    ),
    (
        "product",
        &[
            "product owner*",
            "product manager*",
            "product management",
            "head of product",
            "chief product",
            "vp product",
            "product director",
            "director of product",
            "cpo",
            "po",
            "product lead",
            "ux",
            "ui",
        ],
    ),
    (
        "marketing",
        &[
            "marketing",
            "cmo",
            "brand",
            "brands",
            "marque*",
            "chef de produit*",
            "cheffe de produit*",
            "chef produit*",
            "cheffe produit*",
            "digital*",
            "seo",
            "sea",
            "crm",
            "community manager*",
            "growth",
            "e commerce",
            "ecommerce",
            "acquisition",
            "traffic manager*",
            "market research",
            "etudes de marche",
            "insight*",
            "webmarket*",
            "content",
            "fidelisation",
        ],
    ),
    (
        "communication",
        &[
            "communication*",
            "dircom",
            "presse",
            "press",
            "relations publiques",
            "public relations",
            "pr",
            "relations presse",
            "media relations",
            "attache de presse",
            "attachee de presse",
            "public affairs",
            "affaires publiques",
            "relations institutionnelles",
        ],
    ),
    (
        "customer_service",
        &[
            "service client*",
            "service clients",
            "relation client*",
            "relations clients",
            "relations clientele",
            "customer service*",
            "customer support",
            "customer success",
            "customer care",
            "customer experience",
            "experience client",
            "client service*",
            "sav",
            "apres vente",
            "after sales",
            "support",
            "hotline*",
            "call center",
            "call centre",
            "centre d appel*",
            "teleconseill*",
            "reclamation*",
            "satisfaction client",
        ],
    ),
    (
        "sales",
        &[
            "commercial*",
            "commerciaux",
            "vente",
            "ventes",
            "sales",
            "salesman",
            "saleswoman",
            "salesperson",
            "business development",
            "business developer*",
            "developpement commercial",
            "developpement des ventes",
            "charge d affaires",
            "chargee d affaires",
            "ingenieur d affaires",
            "ingenieure d affaires",
            "account manager*",
            "account executive*",
            "account director*",
            "key account*",
            "grands comptes",
            "grand compte",
            "comptes cles",
            "kam",
            "sdr",
            "bdr",
            "bdm",
            "vendeu*",
            "technico commercial*",
            "export",
            "vrp",
            "cro",
            "adv",
            "administration des ventes",
            "revenue",
            "clientele",
            "conseiller clientele",
            "attache commercial*",
            "chef de secteur",
            "cheffe de secteur",
            "delegue medical",
            "deleguee medicale",
            "presales",
            "avant vente",
            "retail*",
            "caissier*",
            "cashier*",
            "merchand*",
        ],
    ),
    (
        "logistics",
        &[
            "logisti*",
            "supply chain",
            "supply",
            "transport*",
            "entrepot*",
            "warehouse*",
            "magasinier*",
            "magasiniere*",
            "cariste*",
            "expedition*",
            "shipping",
            "preparateur de commande*",
            "preparatrice de commande*",
            "chauffeu*",
            "driver",
            "stock*",
            "inventory",
            "douane*",
            "customs",
            "fleet",
            "flotte",
        ],
    ),
    (
        "quality",
        &[
            "qa",
            "qualite",
            "quality",
            "qse",
            "hse",
            "qhse",
            "ehs",
            "hsse",
            "securite",
            "safety",
            "environnement*",
            "environmental",
            "rse",
            "csr",
            "sustainab*",
            "developpement durable",
            "prevention",
        ],
    ),
    (
        "research",
        &[
            "rd",
            "recherche",
            "research",
            "researcher*",
            "bureau d etudes",
            "innovation*",
            "scientist*",
            "scientifique",
            "laborat*",
            "chercheu*",
            "research and development",
            "recherche et developpement",
            "etudes techniques",
        ],
    ),
    (
        "operations",
        &[
            "production",
            "usine",
            "plant",
            "operation*",
            "coo",
            "atelier",
            "fabrication",
            "manufacturing",
            "industriel*",
            "industrielle",
            "industrial",
            "maintenance",
            "exploitation",
            "travaux",
            "chantier*",
            "site manager",
            "ouvrier*",
            "ouvriere*",
            "operateur de production",
            "machine operator",
            "contremaitre*",
            "foreman",
            "factory",
            "lean",
            "amelioration continue",
            "services techniques",
        ],
    ),
    (
        "health",
        &[
            "medecin*",
            "infirmier*",
            "infirmiere*",
            "nurse*",
            "doctor",
            "physician*",
            "pharmacien*",
            "pharmacist*",
            "soins",
            "cadre de sante",
            "chirurgien*",
            "dentiste*",
            "veterinaire*",
            "sante au travail",
        ],
    ),
    (
        "education",
        &[
            "professeur*",
            "teacher*",
            "enseignant*",
            "formateur*",
            "formatrice*",
            "trainer*",
            "professor",
            "lecturer",
            "pedagogi*",
            "proviseur*",
            "instituteur*",
            "institutrice*",
        ],
    ),
];

/// Functions that a title says when it says no other.
const BROAD_FUNCTIONS: &[(&str, &[&str])] = &[
    (
        "engineering",
        &[
            "ingenieur*",
            "engineer*",
            "technique*",
            "technical",
            "technicien*",
            "technician*",
            "methodes",
            "conception",
            "design engineer",
            "architect*",
            "bureau des methodes",
            "projeteur",
            "dessinateur*",
            "dessinatrice*",
        ],
    ),
    (
        "administration",
        &[
            "administratif*",
            "administrative",
            "administration",
            "office manager*",
            "assistant*",
            "secretair*",
            "secretar*",
            "accueil",
            "reception*",
            "standardiste*",
            "services generaux",
            "moyens generaux",
            "facilit*",
            "office",
            "gestionnaire*",
            "clerk",
            "pa",
            "ea",
            "admin",
            "adjoint administratif",
        ],
    ),
    (
        "general_management",
        &[
            "pdg",
            "dg",
            "dga",
            "dgs",
            "dgd",
            "ceo",
            "directeur general*",
            "directrice general*",
            "direction generale",
            "president*",
            "gerant*",
            "cogerant*",
            "owner",
            "founder",
            "cofounder",
            "fondat*",
            "cofondat*",
            "proprietaire",
            "managing director",
            "md",
            "managing partner",
            "general manager*",
            "gm",
            "dirigeant*",
            "chef d entreprise",
            "cheffe d entreprise",
            "executive officer",
            "executive director",
            "entrepreneu*",
            "patron",
            "patronne",
            "maire",
            "mayor",
            "chairman",
            "chairwoman",
            "chair",
            "board member",
            "conseil d administration",
            "directeur d agence",
            "directrice d agence",
            "directeur de site",
            "directrice de site",
            "directeur de magasin",
            "directrice de magasin",
            "directeur d hotel",
            "directrice d hotel",
            "directeur d etablissement",
            "directrice d etablissement",
            "store manager*",
            "country manager*",
            "artisan",
            "artisane",
            "independant*",
            "freelance*",
            "associe*",
            "partner",
            "secretaire general*",
            "secretary general",
            "strategy",
            "strategie",
            "strategique",
        ],
    ),
];

/// Function of a job title; `None` if it names none that is known.
#[must_use]
pub fn function(title: &str) -> Option<&'static str> {
    area(&words(title))
}

/// Every code of a function.
pub fn functions() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().chain(BROAD_FUNCTIONS).map(|(code, _)| *code)
}

fn area(words: &[String]) -> Option<&'static str> {
    if has(words, GENERAL_SECRETARY) {
        return Some("general_management");
    }
    let earliest = FUNCTIONS
        .iter()
        .filter_map(|(code, phrases)| {
            find(words, phrases).map(|(at, length)| (at, std::cmp::Reverse(length), *code))
        })
        .min();
    if let Some((.., code)) = earliest {
        return Some(code);
    }
    // The person who assists the head does not manage; who owns the firm and is an engineer does.
    let broad =
        |wanted: &str| BROAD_FUNCTIONS.iter().any(|(code, phrases)| *code == wanted && has(words, phrases));
    let assists = has(words, ASSISTANTS) && rank(words) == Some(Seniority::Entry);
    let order = if assists {
        ["administration", "general_management", "engineering"]
    } else {
        ["general_management", "engineering", "administration"]
    };
    order.into_iter().find(|code| broad(code))
}

/// The part that a person plays when the firm buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionRole {
    /// Decides.
    Decider,
    /// Negotiates and orders.
    Buyer,
    /// Is listened to.
    Influencer,
    /// Uses what is bought.
    User,
    /// Lets through, or not.
    Gatekeeper,
}

impl DecisionRole {
    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            DecisionRole::Decider => "decider",
            DecisionRole::Buyer => "buyer",
            DecisionRole::Influencer => "influencer",
            DecisionRole::User => "user",
            DecisionRole::Gatekeeper => "gatekeeper",
        }
    }
}

/// The part that the holder of a title plays, if what is bought concerns `domain` (a code of
/// [`function`]; none: whatever the person's own function is). `None` if the title says neither rank nor function.
///
/// * gatekeeper: assistants, secretaries, reception;
/// * decider: owners, heads of the firm and partners of it; vice presidents and directors of the domain;
/// * buyer: purchasing;
/// * influencer: other directors; managers and experts of the domain;
/// * user: all others.
#[must_use]
pub fn decision_role(title: &str, domain: Option<&str>) -> Option<DecisionRole> {
    let words = words(title);
    let (rank, area) = (rank(&words), area(&words));
    if rank.is_none() && area.is_none() {
        return None;
    }
    let concerned = domain.is_none_or(|domain| area == Some(domain));
    let leads = matches!(rank, Some(Seniority::Owner | Seniority::Partner))
        || rank == Some(Seniority::Cxo)
            && (concerned || area.is_none() || area == Some("general_management"));
    Some(match rank {
        Some(Seniority::Training | Seniority::Unpaid) => DecisionRole::User,
        Some(Seniority::Entry) if area == Some("administration") || has(&words, ASSISTANTS) => {
            DecisionRole::Gatekeeper
        }
        _ if leads => DecisionRole::Decider,
        Some(Seniority::Vp | Seniority::Director) if concerned && area != Some("purchasing") => {
            DecisionRole::Decider
        }
        _ if area == Some("purchasing") => DecisionRole::Buyer,
        Some(Seniority::Cxo | Seniority::Vp | Seniority::Director) => DecisionRole::Influencer,
        Some(Seniority::Manager | Seniority::Senior) if concerned => DecisionRole::Influencer,
        _ => DecisionRole::User,
    })
}
