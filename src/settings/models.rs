//! Settings about models: who the roles are bound to, where further providers are, what models cost, what may be spent.
//!
//! A repository may say which model it likes, and may lower what a run may spend. Where requests go, which key goes with them and
//! raising what may be spent is for the user's own file, variables and flags: a clone must not send anybody's key anywhere, nor
//! say which program is run. Of the agents in our table it may like one as it may like a model.

use std::collections::BTreeMap;

use super::file::Entry;
use super::{Layer, Origin, Setting, SettingsError};
use crate::model::agent_cli::AgentCli;
use crate::model::catalogue::Price;
use crate::model::provider::Provider;
use crate::model::roles::{BindingError, Bindings, Bound};
use crate::model::{NanoDollars, Reasoning, Role};
use crate::nearest::nearest;

/// What one run may spend unless somebody says otherwise: about the planning of a mid-sized repository with the dearest default.
const MAX_USD: NanoDollars = NanoDollars(5_000_000_000);
/// Above this a run on a terminal asks first.
const ASK_ABOVE_USD: NanoDollars = NanoDollars(1_000_000_000);

/// Everything set about models.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSettings {
    /// `provider/model` by role.
    pub models: BTreeMap<Role, Setting<String>>,
    /// How hard a role is to think.
    pub reasoning: BTreeMap<Role, Setting<Reasoning>>,
    /// Providers of the user.
    pub providers: Vec<Provider>,
    /// Agents of the user.
    pub agents: Vec<AgentCli>,
    /// Prices of the user, by `provider/model`.
    pub prices: BTreeMap<String, Price>,
    /// What one run may spend.
    pub max_usd: Setting<NanoDollars>,
    /// Above what estimate a run on a terminal asks first.
    pub ask_above_usd: Setting<NanoDollars>,
    /// Tables as they stand, until every line of them is read.
    tables: BTreeMap<(Table, String), (toml::Table, Origin)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Table {
    Providers,
    Agents,
    Prices,
}

impl Default for ModelSettings {
    fn default() -> ModelSettings {
        ModelSettings {
            models: BTreeMap::new(),
            reasoning: BTreeMap::new(),
            providers: Vec::new(),
            agents: Vec::new(),
            prices: BTreeMap::new(),
            max_usd: Setting { value: MAX_USD, origin: Origin::Default },
            ask_above_usd: Setting { value: ASK_ABOVE_USD, origin: Origin::Default },
            tables: BTreeMap::new(),
        }
    }
}

impl ModelSettings {
    /// Takes `models.<role>` and `models.<role>-reasoning`.
    pub(super) fn set_role(&mut self, key: &str, layer: Layer, entry: &Entry) -> Result<(), SettingsError> {
        let key = key.replace('_', "-");
        for role in Role::ALL {
            if key == role.label() {
                let text = entry.text()?;
                // A command line names a program.
                if layer == Layer::Repository && AgentCli::of_command(&text.value).is_some() {
                    let key = entry.key.join(".");
                    return Err(SettingsError::NotForRepositories { origin: entry.origin.clone(), key });
                }
                self.models.insert(role, text);
                return Ok(());
            }
            if key == format!("{}-reasoning", role.label()) {
                let text = entry.text()?;
                let known = [Reasoning::Low, Reasoning::Medium, Reasoning::High, Reasoning::Xhigh, Reasoning::Max];
                let Some(value) = known.into_iter().find(|level| level.label() == text.value) else {
                    return Err(entry.bad("`low`, `medium`, `high`, `xhigh` or `max`"));
                };
                self.reasoning.insert(role, Setting { value, origin: text.origin });
                return Ok(());
            }
        }
        let known: Vec<String> = Role::ALL
            .iter()
            .flat_map(|role| [role.label().to_owned(), format!("{}-reasoning", role.label())])
            .collect();
        let nearest = nearest(&key, known.iter().map(String::as_str)).map(|word| format!("models.{word}"));
        Err(SettingsError::UnknownKey { origin: entry.origin.clone(), key: entry.key.join("."), nearest })
    }

    /// Takes one line of `[providers.<name>]`, `[agents.<name>]` or `[prices."provider/model"]`.
    pub(super) fn set_table(&mut self, key: &[&str], layer: Layer, entry: &Entry) -> Result<(), SettingsError> {
        let [table, name, fields @ ..] = key else { unreachable!("the caller matched a table and a name") };
        let table = match *table {
            "providers" => Table::Providers,
            "agents" => Table::Agents,
            _ => Table::Prices,
        };
        if layer == Layer::Repository {
            return Err(SettingsError::NotForRepositories { origin: entry.origin.clone(), key: entry.key.join(".") });
        }
        let known = self.tables.entry((table, (*name).to_owned()));
        let (values, _) = known.or_insert_with(|| (toml::Table::new(), entry.origin.clone()));
        let mut at = values;
        let Some((last, folders)) = fields.split_last() else {
            return Err(entry.bad("a table"));
        };
        for folder in folders {
            let inner = at.entry(folder.replace('_', "-")).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            let toml::Value::Table(inner) = inner else { return Err(entry.bad("one value")) };
            at = inner;
        }
        // Headers and variables keep their names; every other key is ours.
        let last = if folders.is_empty() { last.replace('_', "-") } else { (*last).to_owned() };
        at.insert(last, entry.toml());
        Ok(())
    }

    /// Takes an amount. A repository can only lower what may be spent.
    pub(super) fn set_amount(&mut self, key: &str, amount: NanoDollars, origin: Origin, layer: Option<Layer>) {
        let setting = if key == "max-usd" { &mut self.max_usd } else { &mut self.ask_above_usd };
        if layer == Some(Layer::Repository) && amount > setting.value {
            return;
        }
        *setting = Setting { value: amount, origin };
    }

    /// Reads the tables, now that every line of them is there.
    pub(super) fn finish(&mut self) -> Result<(), SettingsError> {
        for ((table, name), (mut values, origin)) in std::mem::take(&mut self.tables) {
            let bad = |error: toml::de::Error| SettingsError::BadTable {
                origin: origin.clone(),
                table: name.clone(),
                message: error.message().to_owned(),
            };
            match table {
                Table::Providers => {
                    values.insert("name".to_owned(), toml::Value::String(name.clone()));
                    let provider: Provider = values.try_into().map_err(bad)?;
                    self.providers.retain(|known| known.name != provider.name);
                    self.providers.push(provider);
                }
                Table::Agents => {
                    values.insert("name".to_owned(), toml::Value::String(name.clone()));
                    let agent: AgentCli = values.try_into().map_err(bad)?;
                    self.agents.retain(|known| known.name != agent.name);
                    self.agents.push(agent);
                }
                Table::Prices => {
                    let price: Price = values.try_into().map_err(bad)?;
                    self.prices.insert(name, price);
                }
            }
        }
        Ok(())
    }

    /// The model of a role.
    pub fn bound(&self, role: Role, variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Bound>, BindingError> {
        let bindings = Bindings {
            said: &|role| self.models.get(&role).map(|said| (said.value.clone(), said.origin.to_string())),
            reasoning: &|role| self.reasoning.get(&role).map(|setting| setting.value),
            providers: &self.providers,
            agents: &self.agents,
            price: &|name| self.prices.get(name).cloned(),
            variable,
        };
        bindings.of(role)
    }
}
