//! RFC 8725, case by case: what a token may be, and everything that it may not.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::issuer::Issuer;
use crate::signing::{AUDIENCE, ED25519, P256, P384, RSA, changed, claims, now, signed, unsigned};
use crate::stand::Stand;

/// Every kind of key that issuers publish, two of one name, and some that are of no use.
fn keys() -> Vec<Value> {
    let mut for_encryption = RSA[1].public("enc");
    for_encryption["use"] = "enc".into();
    let mut only_pss = RSA[1].public("pss");
    only_pss["alg"] = "PS256".into();
    vec![
        RSA[0].public("rsa"),
        only_pss,
        for_encryption,
        P256.public("p256"),
        P384.public("p384"),
        ED25519.public("ed"),
        RSA[0].public("twice"),
        RSA[1].public("twice"),
        json!({"kty": "oct", "kid": "secret", "k": URL_SAFE_NO_PAD.encode([7; 32]), "alg": "HS256"}),
        json!({"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"}),
    ]
}

fn rs256(id: &str) -> Value {
    json!({"alg": "RS256", "typ": "JWT", "kid": id})
}

#[tokio::test]
async fn good_tokens_are_taken() {
    let issuer = Issuer::start(keys()).await;
    let elsewhere = Issuer::start(vec![]).await;
    let stand = Stand::start(vec![issuer.settings()]).await;
    let good = claims(&issuer.url);
    let rsa = |header: Value, change: Value| {
        RSA[0].token(Algorithm::RS256, &header, &changed(good.clone(), &change))
    };
    let with = |name: &str, value: Value| {
        let mut header = rs256("rsa");
        header[name] = value;
        rsa(header, json!({}))
    };
    let plain = |algorithm: &str, id: &str| json!({"alg": algorithm, "kid": id});
    let other_keys = json!(format!("{}/keys", elsewhere.url));
    let mut cases: Vec<(&str, String)> = vec![
        ("RS256", rsa(rs256("rsa"), json!({}))),
        ("PS256", RSA[1].token(Algorithm::PS256, &plain("PS256", "pss"), &good)),
        ("RS512", RSA[0].token(Algorithm::RS512, &plain("RS512", "rsa"), &good)),
        ("PS384", RSA[0].token(Algorithm::PS384, &plain("PS384", "rsa"), &good)),
        ("ES256", P256.token(Algorithm::ES256, &plain("ES256", "p256"), &good)),
        ("ES384", P384.token(Algorithm::ES384, &plain("ES384", "p384"), &good)),
        ("EdDSA", ED25519.token(Algorithm::EdDSA, &plain("EdDSA", "ed"), &good)),
        ("no key named, one fits", P256.token(Algorithm::ES256, &json!({"alg": "ES256"}), &good)),
        ("second key of one name", RSA[1].token(Algorithm::RS256, &rs256("twice"), &good)),
        ("an access token", with("typ", json!("at+jwt"))),
        ("jku is ignored", with("jku", other_keys.clone())),
        ("x5u is ignored", with("x5u", other_keys)),
        ("jwk is ignored", with("jwk", RSA[2].public("rsa"))),
        ("x5c is ignored", with("x5c", json!(["AAAA"]))),
    ];
    for (name, change) in [
        ("one audience of several", json!({"aud": ["stranger", AUDIENCE]})),
        ("the other audience", json!({"aud": "another"})),
        ("ended within the leeway", json!({"exp": now() - 30})),
        ("begins within the leeway", json!({"nbf": now() + 30, "iat": now() + 30})),
        ("seconds with a fraction", json!({"exp": now() as f64 + 60.5, "iat": now() as f64 - 0.5})),
        ("no iat, no nbf", json!({"iat": null, "nbf": null})),
        ("claims of all kinds", json!({"groups": ["a"], "email": 5, "name": {"x": 1}})),
    ] {
        cases.push((name, rsa(rs256("rsa"), change)));
    }
    for (name, token) in cases {
        let said = stand.knock(&token).await;
        assert_eq!((said.status, said.value()), (200, &json!([])), "{name}");
    }
    assert_eq!(issuer.fetches(), 1, "all by one set of keys");
    assert_eq!(elsewhere.asked(), 0, "no token names its own keys");
    let lower = rsa(rs256("rsa"), json!({}));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/api/query", stand.app.url());
    let two = http.post(&url).bearer_auth(&lower).bearer_auth(stand.owner()).body("{}");
    assert_eq!(two.send().await.unwrap().status(), 401, "two headers");
    let any_case = http.post(&url).header("Authorization", format!("bearer {lower}")).body("{}");
    assert_eq!(any_case.send().await.unwrap().status(), 400, "past the token, to the body");
    stand.app.stop().await;
}

/// What no server may take: a name, and the token.
fn bad(issuer: &str) -> Vec<(String, String)> {
    let good = claims(issuer);
    let rsa_key = &RSA[0];
    let token = |header: &Value| rsa_key.token(Algorithm::RS256, header, &good);
    let taken = token(&rs256("rsa"));
    let parts: Vec<&str> = taken.split('.').collect();
    let (message, signature) = (format!("{}.{}", parts[0], parts[1]), parts[2]);
    let public = rsa_key.public("rsa");
    // What a server might take for a secret: the published key in several forms.
    let modulus = public["n"].as_str().unwrap();
    let mut cases: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, token: String| cases.push((name.to_owned(), token));

    for none in ["none", "None", "NONE", "nOnE", ""] {
        let unsigned = unsigned(&json!({"alg": none, "kid": "rsa"}), &good);
        add(&format!("alg `{none}`, no signature"), format!("{unsigned}."));
        add(&format!("alg `{none}`, a signature"), format!("{unsigned}.{signature}"));
    }
    for secret in [
        modulus.as_bytes().to_vec(),
        URL_SAFE_NO_PAD.decode(modulus).unwrap(),
        public.to_string().into_bytes(),
        vec![7; 32],
        vec![],
    ] {
        for (algorithm, name) in
            [(Algorithm::HS256, "HS256"), (Algorithm::HS384, "HS384"), (Algorithm::HS512, "HS512")]
        {
            for id in ["rsa", "secret"] {
                let message = unsigned(&json!({"alg": name, "kid": id}), &good);
                let key = EncodingKey::from_secret(&secret);
                add(
                    &format!("{name} with what is public, kid {id}"),
                    signed(&key, algorithm, &message),
                );
            }
        }
    }
    // One thing said, another done.
    let said = |alg: &str, id: &str| json!({"alg": alg, "kid": id});
    add("signed ES256, says RS256", P256.token(Algorithm::ES256, &said("RS256", "rsa"), &good));
    add(
        "ES256 under an RSA key's name",
        P256.token(Algorithm::ES256, &said("ES256", "rsa"), &good),
    );
    add(
        "RS256 under an EC key's name",
        RSA[0].token(Algorithm::RS256, &said("RS256", "p256"), &good),
    );
    add("ES256 under P-384's name", P256.token(Algorithm::ES256, &said("ES256", "p384"), &good));
    add("RS256 by a key for PS256", RSA[1].token(Algorithm::RS256, &said("RS256", "pss"), &good));
    add("a key for encryption", RSA[1].token(Algorithm::RS256, &said("RS256", "enc"), &good));
    add("a key that cannot be read", token(&rs256("broken")));
    add("another's key", RSA[2].token(Algorithm::RS256, &rs256("rsa"), &good));
    add(
        "another's key under a name used twice",
        RSA[2].token(Algorithm::RS256, &rs256("twice"), &good),
    );
    for algorithm in ["ES512", "ES256K", "RSA-OAEP", "A128KW", "dir", "rs256", "RS256 "] {
        add(&format!("alg `{algorithm}`"), token(&said(algorithm, "rsa")));
    }
    for header in
        [json!({"kid": "rsa"}), json!({"alg": 256, "kid": "rsa"}), json!([]), json!("RS256")]
    {
        add(&format!("header {header}"), token(&header));
    }
    // Keys of the token's own choice.
    for (name, value) in [
        ("jwk", RSA[2].public("rsa")),
        ("jku", json!("http://127.0.0.1:1/keys")),
        ("x5u", json!("http://127.0.0.1:1/chain")),
        ("x5c", json!([STANDARD.encode("certificate")])),
    ] {
        for id in ["rsa", "mine"] {
            let mut header = rs256(id);
            header[name] = value.clone();
            add(
                &format!("{name} of its own, kid {id}"),
                RSA[2].token(Algorithm::RS256, &header, &good),
            );
        }
    }
    for id in [
        "unknown",
        "",
        "../rsa",
        "/etc/passwd",
        "rsa' OR '1'='1",
        "rsa\u{0}",
        "RSA",
        &"k".repeat(300),
    ] {
        add(&format!("kid `{id}`"), token(&rs256(id)));
    }
    add("kid that is no text", token(&json!({"alg": "RS256", "kid": ["rsa"]})));
    add("no key named, several fit", token(&json!({"alg": "RS256"})));
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A128GCM")),
        ("cty", json!("JWT")),
        ("typ", json!("logout+jwt")),
        ("typ", json!("dpop+jwt")),
        ("typ", json!("secevent+jwt")),
    ] {
        let mut header = rs256("rsa");
        header[name] = value.clone();
        add(&format!("{name}: {value}"), token(&header));
    }
    for (name, change) in [
        ("another issuer", json!({"iss": "http://127.0.0.1:1"})),
        ("the issuer with a slash", json!({"iss": format!("{issuer}/")})),
        ("the issuer in capitals", json!({"iss": issuer.to_uppercase()})),
        ("a list of issuers", json!({"iss": [issuer]})),
        ("no issuer", json!({"iss": null})),
        ("another audience", json!({"aud": "other"})),
        ("the audience in another case", json!({"aud": "Dailies"})),
        ("part of the audience", json!({"aud": "dailies-app"})),
        ("no audience", json!({"aud": null})),
        ("an empty list of audiences", json!({"aud": []})),
        ("an audience that is no text", json!({"aud": {"dailies": true}})),
        ("ended", json!({"exp": now() - 90})),
        ("ended long ago", json!({"exp": 0})),
        ("no end", json!({"exp": null})),
        ("an end in words", json!({"exp": (now() + 300).to_string()})),
        ("an end before time", json!({"exp": -1})),
        ("not begun", json!({"nbf": now() + 90})),
        ("a beginning in words", json!({"nbf": "now"})),
        ("issued in the future", json!({"iat": now() + 3600})),
        ("issued in words", json!({"iat": "now"})),
        ("no subject", json!({"sub": null})),
        ("an empty subject", json!({"sub": ""})),
        ("a subject that is no text", json!({"sub": 5})),
        ("a subject too long", json!({"sub": "s".repeat(256)})),
        ("huge", json!({"groups": "g".repeat(16 << 10)})),
    ] {
        add(name, rsa_key.token(Algorithm::RS256, &rs256("rsa"), &changed(good.clone(), &change)));
    }
    // A token in a token.
    let nested = signed(
        &rsa_key.private,
        Algorithm::RS256,
        &format!("{}.{}", parts[0], URL_SAFE_NO_PAD.encode(&taken)),
    );
    add("nested", nested);
    let twice = format!("{{\"alg\":\"RS256\",\"kid\":\"rsa\",\"alg\":\"RS256\"}}");
    let twice = format!("{}.{}", URL_SAFE_NO_PAD.encode(twice), parts[1]);
    add("a header that says alg twice", signed(&rsa_key.private, Algorithm::RS256, &twice));
    let two = good.to_string().replacen('{', "{\"sub\":\"root\",", 1);
    let two = format!("{}.{}", parts[0], URL_SAFE_NO_PAD.encode(two));
    add("two subjects", signed(&rsa_key.private, Algorithm::RS256, &two));
    // The same bytes, written otherwise.
    let padded = URL_SAFE.encode(URL_SAFE_NO_PAD.decode(parts[0]).unwrap());
    for (name, changed) in [
        ("padding in the signature", format!("{message}.{signature}==")),
        ("padding in the header", format!("{padded}=.{}.{signature}", parts[1])),
        ("a space within", format!("{}. {}.{signature}", parts[0], parts[1])),
        ("a tab in the signature", format!("{message}.{}\t{}", &signature[..9], &signature[9..])),
        ("one dot more", format!("{taken}.")),
        ("a dot before", format!(".{taken}")),
        ("a part more", format!("{taken}.{signature}")),
        ("five parts", format!("{taken}.a.b")),
        ("one dot less", message.clone()),
        ("no dot", taken.replace('.', "")),
        ("an empty signature", format!("{message}.")),
        ("an empty header", format!(".{}.{signature}", parts[1])),
        ("empty claims", format!("{}..{signature}", parts[0])),
        ("only dots", "..".into()),
        ("half a signature", format!("{message}.{}", &signature[..signature.len() / 2])),
        ("a letter more", format!("{message}.{signature}A")),
        ("standard base64", format!("{message}.+{}", &signature[1..])),
        (
            "other claims",
            format!(
                "{}.{}.{signature}",
                parts[0],
                URL_SAFE_NO_PAD.encode(changed(good.clone(), &json!({"sub": "root"})).to_string())
            ),
        ),
        ("no token", "token".into()),
        ("JSON", good.to_string()),
    ] {
        add(name, changed);
    }
    cases
}

#[tokio::test]
async fn bad_tokens_are_refused_before_the_function() {
    let issuer = Issuer::start(keys()).await;
    let stand = Stand::start(vec![issuer.settings()]).await;
    let good = RSA[0].token(Algorithm::RS256, &rs256("rsa"), &claims(&issuer.url));
    stand.knock(&good).await.value();
    let cases = bad(&issuer.url);
    assert!(cases.len() > 130, "{}", cases.len());
    for (name, token) in cases {
        let said = stand.knock(&token).await;
        assert_eq!((said.status, said.code()), (401, "bad_credentials"), "{name}: {}", said.body);
        assert!(said.body["message"].is_string(), "{name}");
    }
    let users: u32 = stand
        .database()
        .query_row("SELECT count(*) FROM identities", [], |row| row.get(0))
        .unwrap();
    assert_eq!(users, 1, "only the good token made a user");
    let ended = changed(claims(&issuer.url), &json!({"exp": now() - 90}));
    let ended = stand.knock(&RSA[0].token(Algorithm::RS256, &rs256("rsa"), &ended)).await;
    assert_eq!(ended.body["message"], "the token has expired; sign in again");
    stand.knock(&good).await.value();
    stand.app.stop().await;
}

#[tokio::test]
async fn only_the_clients_that_are_named_may_send_theirs() {
    let issuer = Issuer::start(keys()).await;
    let mut settings = issuer.settings();
    settings.client_ids = vec!["desktop".into(), AUDIENCE.into()];
    let stand = Stand::start(vec![settings]).await;
    for (change, status) in [
        (json!({"azp": "desktop"}), 200),
        (json!({"client_id": "desktop"}), 200),
        (json!({}), 200),
        (json!({"aud": [AUDIENCE]}), 200),
        (json!({"aud": [AUDIENCE, "desktop"]}), 401),
        (json!({"azp": "stranger"}), 401),
        (json!({"azp": "stranger", "client_id": "desktop"}), 401),
        (json!({"aud": "another"}), 401),
    ] {
        let claims = changed(claims(&issuer.url), &change);
        let token = RSA[0].token(Algorithm::RS256, &rs256("rsa"), &claims);
        assert_eq!(stand.knock(&token).await.status, status, "{change}");
    }
    stand.app.stop().await;
}
