//! `#[napi]` for WebAssembly, as far as the entry points of `crates/node` use it.
//!
//! Each function, constructor and getter is exported by a function without parameters that takes its arguments from the frame. What
//! JavaScript has to know of it stands in the custom section `entries`, a line each:
//!
//! ```text
//! function conv2dShape(mut Array<f64>)
//! constructor NativePlan(f64,Array<f64>,Option<Array<f32>>,Option<Array<f32>>)
//! getter NativePlan.handle()
//! ```
//!
//! `mut` marks memory that the call writes. The name before the bracket is the export's.

use proc_macro::TokenStream;
use proc_macro2::{Literal, Span, TokenStream as Tokens};
use quote::{format_ident, quote};
use syn::{
    Attribute, Expr, ExprLit, FnArg, Ident, ImplItem, Item, ItemFn, ItemImpl, ItemStruct, Lit, Meta, Pat,
    Type, parse_macro_input, punctuated::Punctuated, token::Comma,
};

/// Exports what it stands on; see the crate's description.
#[proc_macro_attribute]
pub fn napi(options: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(options with Punctuated::<Meta, Comma>::parse_terminated);
    let options: Vec<Meta> = options.into_iter().collect();
    let tokens = match parse_macro_input!(item as Item) {
        Item::Fn(function) => export_function(&options, function),
        Item::Struct(structure) => export_struct(&options, structure),
        Item::Impl(block) => export_impl(block),
        other => quote! { #other compile_error!("expected a function, a struct or an impl for #[napi]"); },
    };
    tokens.into()
}

/// The word among an attribute's options: `getter` in `#[napi(getter, catch_unwind)]`.
fn has(options: &[Meta], word: &str) -> bool {
    options.iter().any(|option| option.path().is_ident(word))
}

/// The name in JavaScript: `js_name`, or the Rust name in camel case.
fn js_name(options: &[Meta], ident: &Ident) -> String {
    let given = options.iter().find_map(|option| match option {
        Meta::NameValue(pair) if pair.path.is_ident("js_name") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) => Some(name.value()),
            _ => None,
        },
        _ => None,
    });
    given.unwrap_or_else(|| camel_case(&ident.to_string()))
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_string();
    words.fold(first, |all, word| {
        let (head, tail) = word.split_at(word.len().min(1));
        all + &head.to_uppercase() + tail
    })
}

/// Takes `#[napi]` off and returns its options, if it was there.
fn take_options(attributes: &mut Vec<Attribute>) -> Option<Vec<Meta>> {
    let place = attributes.iter().position(|attribute| attribute.path().is_ident("napi"))?;
    let attribute = attributes.remove(place);
    let parse = Punctuated::<Meta, Comma>::parse_terminated;
    Some(attribute.parse_args_with(parse).map(|list| list.into_iter().collect()).unwrap_or_default())
}

/// The types of a function's arguments but for `self`, their descriptions; takes the attributes off them.
fn arguments(inputs: &mut Punctuated<FnArg, Comma>) -> (Vec<Type>, Vec<String>) {
    let mut types = Vec::new();
    let mut words = Vec::new();
    for input in inputs {
        let FnArg::Typed(argument) = input else { continue };
        take_options(&mut argument.attrs);
        let kind = &argument.ty;
        // A comma stands between arguments only, also where a type was wrapped.
        let text = quote!(#kind).to_string().replace(' ', "").replace(",>", ">");
        let is_written = matches!(&*argument.pat, Pat::Ident(name) if name.mutability.is_some());
        // The environment is not one of JavaScript's arguments.
        if !matches!(text.as_str(), "Env" | "&Env") {
            words.push(if is_written { format!("mut {text}") } else { text });
        }
        types.push((*argument.ty).clone());
    }
    (types, words)
}

/// The exported function, and its line in the custom section.
fn export(kind: &str, name: &str, words: &[String], body: &Tokens) -> Tokens {
    let line = format!("{kind} {name}({})\n", words.join(","));
    let length = line.len();
    let bytes = Literal::byte_string(line.as_bytes());
    quote! {
        #[cfg(target_family = "wasm")]
        const _: () = {
            #[unsafe(link_section = "entries")]
            #[used]
            static ENTRY: [u8; #length] = *#bytes;

            #[unsafe(export_name = #name)]
            extern "C" fn entry() -> u32 {
                ::napi::call(|frame| #body)
            }
        };
    }
}

fn values(types: &[Type]) -> Vec<Tokens> {
    types.iter().map(|kind| quote!(<#kind as ::napi::FromFrame>::from_frame(frame))).collect()
}

fn export_function(options: &[Meta], mut function: ItemFn) -> Tokens {
    let (types, words) = arguments(&mut function.sig.inputs);
    let (ident, values) = (&function.sig.ident, values(&types));
    let body = quote!({ let _ = &frame; #ident(#(#values),*) });
    let exported = export("function", &js_name(options, ident), &words, &body);
    quote!(#function #exported)
}

/// A class is a plain struct; an object crosses by value.
fn export_struct(options: &[Meta], structure: ItemStruct) -> Tokens {
    if !has(options, "object") {
        return quote!(#structure);
    }
    let ident = &structure.ident;
    let parts =
        structure.fields.iter().filter_map(|field| field.ident.as_ref()).enumerate().map(|(i, field)| {
            let key = format!("{}\"{}\":", if i > 0 { "," } else { "" }, camel_case(&field.to_string()));
            quote! { json.push_str(#key); ::napi::ToJson::write(&self.#field, json); }
        });
    quote! {
        #structure

        impl ::napi::ToJson for #ident {
            fn write(&self, json: &mut String) {
                json.push('{');
                #(#parts)*
                json.push('}');
            }
        }

        impl ::napi::IntoOutcome for #ident {
            fn into_outcome(self) -> u32 {
                ::napi::object_outcome(&self)
            }
        }
    }
}

fn export_impl(mut block: ItemImpl) -> Tokens {
    let class = block.self_ty.clone();
    let class_name = quote!(#class).to_string();
    let mut exports = Vec::new();
    for item in &mut block.items {
        let ImplItem::Fn(method) = item else { continue };
        let Some(options) = take_options(&mut method.attrs) else { continue };
        let (types, words) = arguments(&mut method.sig.inputs);
        let (ident, values) = (method.sig.ident.clone(), values(&types));
        let name = js_name(&options, &ident);
        if has(&options, "constructor") {
            let body = quote! { <#class>::#ident(#(#values),*).map(|made| Box::into_raw(Box::new(made)).addr() as f64) };
            exports.push(export("constructor", &class_name, &words, &body));
            continue;
        }
        // The object's address comes first.
        let kind = if has(&options, "getter") { "getter" } else { "method" };
        let object = format_ident!("object", span = Span::call_site());
        let body = quote! {{
            let #object = frame.next() as usize as *const #class;
            // SAFETY: JavaScript holds the object that the constructor made, and drops it once.
            unsafe { &*#object }.#ident(#(#values),*)
        }};
        exports.push(export(kind, &format!("{class_name}.{name}"), &words, &body));
    }
    let body = quote! {{
        let object = frame.next() as usize as *mut #class;
        // SAFETY: as for the getters; after this, nobody has the address.
        drop(unsafe { Box::from_raw(object) })
    }};
    exports.push(export("drop", &format!("{class_name}.drop"), &[], &body));
    quote!(#block #(#exports)*)
}
